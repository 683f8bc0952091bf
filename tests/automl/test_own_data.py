"""A run on a data set of the user's own: named, decoded once, continued, refused when the data changed."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from automl import blueprint as blueprint_module
from automl.blueprint import blueprint
from automl.cli.app import main
from automl.reporters.quiet import QuietReporter
from automl.run import run
from automl.settings import Effort, Own, RunSettings
from deploy.errors import UserError

sys.path.append(str(Path(__file__).with_name("data")))
from made_data import folders, picture, voc

EFFORT = Effort(cloud_steps=2, teach_steps=1, trial_steps=1, refine_steps=1, finalists=1)
BOX = ("cell", (8.0, 6.0, 24.0, 18.0))


@pytest.fixture(autouse=True)
def _few_anchors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blueprint_module, "ANCHOR_QUALITIES", (50,))


def settings(root: Path, data: Path, size: int) -> RunSettings:
    return RunSettings("", "own", root, budget=2, effort=EFFORT, own=Own(data, image_size=size))


def cells(path: Path) -> Path:
    pictures = {f"{split}{i}": [BOX] for split in ("train", "val", "test") for i in range(4)}
    return voc(path, pictures, {split: [f"{split}{i}" for i in range(4)] for split in ("train", "val", "test")})


def test_a_run_on_boxes_measures_and_refines(tmp_path: Path) -> None:
    result = run(settings(tmp_path / "runs", cells(tmp_path / "cells"), 64), QuietReporter())
    assert (result.info.task, result.info.metric) == ("cells", "mAP")
    assert sum(record.kind == "search" for record in result.records) == 2
    assert any(record.finalist for record in result.records)


def test_a_run_on_folders_goes_on_until_the_data_changes(tmp_path: Path) -> None:
    mine = settings(tmp_path / "runs", folders(tmp_path / "pets", each=8), 32)
    first = run(mine, QuietReporter())
    assert (first.info.task, first.info.metric) == ("pets", "top-1")
    assert len(run(replace(mine, budget=3), QuietReporter()).records) == len(first.records) + 1
    picture(tmp_path / "pets/train/cat/0.png", 99)
    with pytest.raises(UserError, match=r"data\.data was .* and is now"):
        run(replace(mine, budget=4), QuietReporter())


def test_settings_remember_the_data(tmp_path: Path) -> None:
    mine = settings(tmp_path / "runs", folders(tmp_path / "pets"), 32)
    mine.folder.path.mkdir(parents=True)
    mine.save()
    assert RunSettings.load(mine.folder) == mine


def test_the_task_is_the_data_sets(tmp_path: Path) -> None:
    mine = replace(settings(tmp_path / "runs", folders(tmp_path / "pets"), 32), task="detection")
    with pytest.raises(UserError, match="is a data set for classification; leave --task out"):
        blueprint(mine)


def checked(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["eccsearch", "data", "check", str(path)])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 0


def test_the_check_counts_and_names_every_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cells(tmp_path)
    file = tmp_path / "Annotations" / "train0.xml"
    file.write_text(file.read_text().replace("<xmax>24.0", "<xmax>8.0"))
    checked(tmp_path, monkeypatch)
    shown = " ".join(capsys.readouterr().out.split())
    assert "voc, 1 classes" in shown and "1 problems." in shown
    assert f"{file}: box 1 of train0.png is degenerate (8, 6, 8, 18): dropped" in shown
    assert "of them without a box" in shown and "median 40 %" in shown


def test_the_check_says_which_splits_it_would_make(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    checked(folders(tmp_path, ("",), each=20), monkeypatch)
    shown = " ".join(capsys.readouterr().out.split())
    assert "validation is made of pictures without a split" in shown
    assert "No problem: all pictures can be used." in shown


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["--format", "voc"], "go with a data set: give it with --data"),
        (["--data", "gone"], "there is nothing"),
        (["--data", ".", "--image-size", "50"], "must be a multiple of 8"),
    ],
)
def test_options_that_do_not_fit_are_one_line(
    arguments: list[str],
    error: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys, "argv", ["eccsearch", "run", "--root", str(tmp_path), *arguments])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert error in line


def test_a_detector_of_two_stages_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    data = ["--data", str(cells(tmp_path / "cells")), "--image-size", "32", "--root", str(tmp_path), "--quiet"]
    monkeypatch.setattr(sys, "argv", ["eccsearch", "run", *data, "--model", "fasterrcnn_resnet50_fpn"])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "detectors of one stage can be searched" in line


def test_the_run_is_named_after_the_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = folders(tmp_path / "my pets.v2", each=8)
    monkeypatch.chdir(tmp_path)
    effort = [f"--{name.replace('_', '-')}={value}" for name, value in vars(EFFORT).items()]
    arguments = ["run", "--data", str(data), "--image-size", "32", "--budget", "1", "--quiet", "--workers", "1"]
    monkeypatch.setattr(sys, "argv", ["eccsearch", *arguments, *effort])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 0
    assert json.loads((tmp_path / "runs/my-pets/settings.json").read_text())["own"]["data"] == str(data)


VIT = """
from torchvision.models import VisionTransformer

def vit(num_classes):
    return VisionTransformer(32, 8, num_layers=2, num_heads=4, hidden_dim=32, mlp_dim=64, num_classes=num_classes)
"""


def test_a_run_searches_a_transformer_of_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my_transformer.py").write_text(VIT)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    own = Own(folders(tmp_path / "pets", each=8), image_size=32, model="my_transformer:vit")
    mine = RunSettings("", "own", tmp_path / "runs", budget=3, effort=EFFORT, own=own)
    result = run(mine, QuietReporter())
    assert sum(record.kind == "search" for record in result.records) == 3
    assert result.info.whole_flops > 0
