"""A run's settings say where its study lies, and stay with it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from automl.settings import RunSettings, study_place
from deploy.errors import UserError


@pytest.fixture
def settings(tmp_path: Path) -> RunSettings:
    return RunSettings("detection", "shelf", tmp_path, storage=f"sqlite:///{tmp_path}/studies.db")


def test_settings_are_read_back(settings: RunSettings) -> None:
    settings.save()
    assert RunSettings.load(settings.folder) == settings


def test_a_study_lies_where_the_settings_or_the_option_say(settings: RunSettings) -> None:
    assert study_place(settings.folder) == settings.folder.path
    settings.save()
    assert study_place(settings.folder) == settings.storage
    assert study_place(settings.folder, "mysql://host/other") == "mysql://host/other"


def test_a_run_is_not_continued_in_another_storage(settings: RunSettings) -> None:
    settings.check_storage()
    settings.save()
    settings.check_storage()
    with pytest.raises(
        UserError, match=r"keeps its study elsewhere: give the --storage that .*settings.json names"
    ):
        replace(settings, storage=None).check_storage()
    replace(settings, storage=None).save()
    with pytest.raises(UserError, match="give no --storage, or start afresh with --new"):
        settings.check_storage()


def test_damaged_settings_are_mended_by_giving_the_options_again(settings: RunSettings) -> None:
    settings.folder.path.mkdir()
    settings.folder.settings.write_text("{")
    settings.check_storage()


def test_settings_that_an_older_version_wrote_are_read(tmp_path: Path) -> None:
    settings = RunSettings("detection", "mine", tmp_path)
    settings.folder.path.mkdir()
    settings.save()
    values = json.loads(settings.folder.settings.read_text())
    del values["own"], values["profile"]
    settings.folder.settings.write_text(json.dumps(values))
    assert RunSettings.load(settings.folder) == settings


@pytest.mark.parametrize(
    "damage",
    [{"effort": {"cloud_stepz": 1}}, {"effort": 3}, {"narrowed": [1]}, {"own": {"model": 2}}, {"objectives": 5}],
)
def test_settings_that_say_what_no_version_says_are_one_line(
    settings: RunSettings, damage: dict[str, object]
) -> None:
    settings.save()
    values = json.loads(settings.folder.settings.read_text())
    settings.folder.settings.write_text(json.dumps({**values, **damage}))
    with pytest.raises(UserError, match=r"settings\.json is damaged"):
        RunSettings.load(settings.folder)
