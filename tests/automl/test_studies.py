"""The list of runs says of each how it stands."""

from __future__ import annotations

import gc
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from automl.last_process import LastProcess
from automl.owner import Owner
from automl.run_reader import note_run
from automl.samplers.surrogate import LAYOUT, measure, surrogate_space
from automl.search import Reason
from automl.studies import StudySummary, latest_run, list_studies
from automl.study import LAST_PROCESS, Study
from deploy.errors import UserError
from results.record import RunInfo
from search_spaces.objective import DEFAULT_OBJECTIVES, Constraint, Objective

SPACE = surrogate_space()
OBJECTIVES = [Objective.named(name) for name in DEFAULT_OBJECTIVES]
BOUND = Constraint.parse("bytes<=300")
ENDS = [SPACE.config({"split": split}) for split in (0, SPACE.layout.splits)]


def searched(folder: Path, budget: int = 2) -> Study:
    """A run of a narrowed space, so that its anchors lie outside."""
    space = SPACE.narrowed({"split": [3, 4]})
    study = Study.open(folder, folder.name, space, OBJECTIVES, [BOUND], "random", identity={"task": "detection"})
    note_run(
        folder, folder.name, RunInfo(folder.name, "detection", "mAP", DEFAULT_OBJECTIVES, 10, 1.0, 1.0), LAYOUT
    )
    study.run(measure, budget, anchors=ENDS)
    return study


def listed(root: Path) -> StudySummary:
    (summary,) = list_studies(root)
    return summary


def ended_process() -> Owner:
    """An owner that has lived on this machine."""
    code = "from automl.owner import Owner; print(Owner.here().pid, Owner.here().started)"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    pid, started = printed.split()
    return Owner(Owner.here().place, int(pid), started)


def test_a_run_is_listed_with_the_front_that_pareto_prints(tmp_path: Path) -> None:
    study = searched(tmp_path / "one", 12)
    summary = listed(tmp_path)
    assert (summary.task, summary.sampler, summary.done, summary.budget) == ("detection", "random", 12, 12)
    assert summary.front == len(study.front()) > 0
    assert "anchor" in {record.kind for record in study.front()}


@pytest.mark.parametrize(
    ("reason", "state"),
    [
        ("budget", "finished"),
        ("timeout", "timed out"),
        ("exhausted", "space exhausted"),
        ("interrupted", "interrupted"),
    ],
)
def test_a_run_that_has_ended_says_how(reason: Reason, state: str, tmp_path: Path) -> None:
    searched(tmp_path / "one").note_process(reason)
    assert listed(tmp_path).state == state


def test_a_run_whose_process_lives_is_running_though_no_trial_is(tmp_path: Path) -> None:
    searched(tmp_path / "one").note_process()
    assert listed(tmp_path).state == "running"


def test_a_run_whose_process_was_killed_is_interrupted_though_its_budget_is_used_up(tmp_path: Path) -> None:
    study = searched(tmp_path / "one")
    study._study.set_user_attr(LAST_PROCESS, LastProcess(ended_process()).to_dict())
    assert listed(tmp_path).state == "interrupted"


def test_a_search_without_a_run_round_it_is_finished_at_its_budget(tmp_path: Path) -> None:
    searched(tmp_path / "one")
    assert listed(tmp_path).state == "finished"


def test_what_cannot_be_read_is_listed_and_never_the_latest(tmp_path: Path) -> None:
    searched(tmp_path / "one")
    (tmp_path / "two").mkdir()
    (tmp_path / "two" / "study.db").write_bytes(b"no database at all")
    (tmp_path / "three").mkdir()
    (tmp_path / "three" / "settings.json").write_text("{")
    found = {summary.name: summary for summary in list_studies(tmp_path)}
    assert found["two"].state == found["three"].state == "unreadable"
    assert "is not an SQLite database" in found["two"].note
    assert "settings.json is damaged" in found["three"].note
    assert latest_run(tmp_path).name == "one"
    shutil.rmtree(tmp_path / "one")
    with pytest.raises(UserError, match=r"no run that can be read \(.*\) below"):
        latest_run(tmp_path)
    with pytest.raises(UserError, match="no run below"):
        latest_run(tmp_path / "nowhere")


def test_a_run_is_read_where_nothing_can_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    searched(tmp_path / "one")
    # The study that has searched holds a connection until it is collected, and SQLite's log lives as long.
    gc.collect()
    (written,) = list_studies(tmp_path)
    access = os.access
    monkeypatch.setattr("os.access", lambda place, mode: Path(place) != tmp_path / "one" and access(place, mode))
    before = {file: file.stat().st_mtime_ns for file in (tmp_path / "one").iterdir()}
    assert list_studies(tmp_path) == [written]
    assert {file: file.stat().st_mtime_ns for file in (tmp_path / "one").iterdir()} == before
