"""Tasks are found by name, built in or installed; the command lists them and draws a contact sheet."""

from __future__ import annotations

from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

from automl.cli.tasks import tasks_app
from automl.tasks import catalogue
from automl.tasks.classification import ClassificationTask
from automl.tasks.detection import DetectionTask
from automl.tasks.sources import SPLITS
from automl.tasks.splits import Counts
from deploy.errors import UserError
from results.contact_sheet import contact_sheet, write_contact_sheet


def installed(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    points = EntryPoints([EntryPoint(name, value, catalogue.GROUP)])
    monkeypatch.setattr(catalogue, "entry_points", lambda **wanted: points.select(**wanted))


def test_built_in_tasks_are_found_by_name() -> None:
    assert catalogue.task_names()[:2] == ["detection", "classification"]
    assert isinstance(catalogue.find_task("detection"), DetectionTask)
    assert catalogue.provider("classification") == "built in"


def test_an_unknown_name_names_the_nearest() -> None:
    with pytest.raises(UserError, match="did you mean 'detection'"):
        catalogue.find_task("detecton")


def test_an_installed_package_offers_its_task(monkeypatch: pytest.MonkeyPatch) -> None:
    installed(monkeypatch, "mine", "automl.tasks.classification:ClassificationTask")
    assert "mine" in catalogue.task_names()
    assert isinstance(catalogue.find_task("mine"), ClassificationTask)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("mine", "no_such_package:Task", "fails to load: ModuleNotFoundError"),
        ("detection", "elsewhere:Task", "offered more than once"),
    ],
)
def test_what_a_foreign_package_does_wrong_is_one_line(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, words: str
) -> None:
    installed(monkeypatch, name, value)
    with pytest.raises(UserError, match=words) as caught:
        catalogue.find_task(name)
    assert "\n" not in str(caught.value)


def test_the_command_lists_the_tasks() -> None:
    answer = CliRunner().invoke(tasks_app, [])
    assert answer.exit_code == 0
    assert "detection" in answer.stdout and "mAP" in answer.stdout and "top-1" in answer.stdout


@pytest.mark.parametrize(
    "task", [DetectionTask(counts=Counts(9, 3, 1)), ClassificationTask(counts=Counts(9, 3, 1))]
)
def test_a_contact_sheet_shows_every_split(task: DetectionTask | ClassificationTask, tmp_path: Path) -> None:
    sheet = contact_sheet([task.data(split) for split in SPLITS], task.classes, "a title")
    write_contact_sheet(sheet, tmp_path / "sheet.png")
    with Image.open(tmp_path / "sheet.png") as picture:
        assert picture.format == "PNG" and picture.width > 1000
        assert len(picture.convert("RGB").getcolors(1 << 20) or []) > 500
