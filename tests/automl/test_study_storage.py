from __future__ import annotations

import os
import resource
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from automl.samplers.surrogate import measure, surrogate_space
from automl.storage import _place, absolute_url, check_file, load_study, open_storage
from automl.study import Study
from deploy.errors import UserError
from search_spaces.objective import DEFAULT_OBJECTIVES, Objective

SEARCH = Path(__file__).with_name("analytic_search.py")


def foreign(file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE recipes (name)")


def torn(file: Path) -> None:
    open_storage(file).engine.dispose()
    content = bytearray(file.read_bytes())
    content[4096:40960] = b"\xa5" * (40960 - 4096)
    file.write_bytes(content)


@pytest.mark.parametrize(
    ("spoil", "word"),
    [
        (lambda file: file.write_bytes(b"hello"), "not an SQLite database"),
        (lambda file: file.write_bytes(b""), "not an SQLite database"),
        (foreign, "another program"),
        (torn, "damaged"),
    ],
    ids=["text", "empty", "foreign", "torn"],
)
def test_a_file_that_is_no_study_is_refused_and_left_alone(tmp_path: Path, spoil, word: str) -> None:  # type: ignore[no-untyped-def]
    file = tmp_path / "study.db"
    spoil(file)
    before = file.read_bytes()
    with pytest.raises(UserError, match=word) as refusal:
        open_storage(tmp_path)
    assert str(file) in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert file.read_bytes() == before


def test_a_place_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(UserError, match="cannot use the study's storage"):
        open_storage(tmp_path / "file" / "run")


def test_a_url_without_its_driver_or_scheme_is_one_line() -> None:
    with pytest.raises(UserError, match="cannot use the study's storage") as refusal:
        open_storage("nosuchdatabase://user:secret@nowhere/x")
    assert "secret" not in str(refusal.value)


def test_a_url_means_the_same_from_every_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert absolute_url("sqlite:///studies.db") == f"sqlite:///{tmp_path}/studies.db"
    assert absolute_url("mysql://me:secret@host/studies") == "mysql://me:secret@host/studies"


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "studies.db"])
def test_a_url_that_keeps_nothing_is_one_line(url: str) -> None:
    with pytest.raises(UserError, match=f"{url}"):
        absolute_url(url)


@pytest.mark.parametrize("links", [True, False], ids=["hard links", "none, as on FAT"])
def test_a_new_file_appears_whole_and_never_replaces_another(
    links: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(source: Path, target: Path) -> None:
        raise PermissionError(1, "Operation not permitted")

    if not links:
        monkeypatch.setattr(os, "link", refused)
    fresh, file = tmp_path / "fresh", tmp_path / "study.db"
    for content in ("first", "second"):
        fresh.unlink(missing_ok=True)
        fresh.write_text(content)
        _place(fresh, file)
        assert file.read_text() == "first"
    file.unlink()
    open_storage(tmp_path).engine.dispose()
    check_file(file)


def test_opening_a_study_once_more_lets_no_other_process_delete_its_log(tmp_path: Path) -> None:
    objectives = [Objective.named(each) for each in DEFAULT_OBJECTIVES]
    study = Study.open(tmp_path / "broken", "analytic", surrogate_space(), objectives, sampler="random")
    study.run(measure, 2)
    check_file(tmp_path / "broken" / "study.db")
    elsewhere = [sys.executable, str(SEARCH), "--root", str(tmp_path), "--sampler", "random", "--budget"]
    subprocess.run([*elsewhere, "6"], check=True)
    assert study.run(measure, 12).done == 12
    ended = subprocess.run([*elsewhere, "12"], capture_output=True, text=True, check=True)
    assert ended.stdout.split() == ["budget", "12"]
    assert len((tmp_path / "broken.measured").read_text()) == 4 + 2, "the other one measured what was there"


def test_a_full_disk_keeps_what_is_finished(tmp_path: Path) -> None:
    def small_disk() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (250_000, 250_000))

    command = [sys.executable, str(SEARCH), "--root", str(tmp_path), "--sampler", "random", "--budget", "20"]
    full = subprocess.run(command, capture_output=True, text=True, preexec_fn=small_disk)
    assert "UserError: cannot use the study's storage" in full.stderr
    told = len((tmp_path / "broken.measured").read_text())
    again = subprocess.run(command, capture_output=True, text=True)
    assert again.stdout.split() == ["budget", "20"], again.stderr
    # Two anchors and twenty trials; only the one that could not be written down was measured again.
    assert len((tmp_path / "broken.measured").read_text()) <= 22 + 1
    assert told > 0


def test_a_run_whose_folder_was_renamed_says_its_name(tmp_path: Path) -> None:
    objectives = [Objective.named(each) for each in DEFAULT_OBJECTIVES]
    Study.open(tmp_path / "before", "before", surrogate_space(), objectives)
    (tmp_path / "before").rename(tmp_path / "after")
    with pytest.raises(UserError, match="holds the run 'before', not 'after': give its folder that name back"):
        load_study(tmp_path / "after", "after")
