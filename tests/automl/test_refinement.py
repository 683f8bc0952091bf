"""A finalist is refined by one process at a time; a dead one holds nothing, and no search waits for it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from optuna.trial import TrialState

from automl.samplers.surrogate import measure, surrogate_space
from automl.study import Study
from search_spaces.objective import DEFAULT_OBJECTIVES, Objective

SEARCH = Path(__file__).with_name("analytic_search.py")
ENDS = [surrogate_space().config({"split": split}) for split in (0, surrogate_space().layout.splits)]


@pytest.fixture
def study(tmp_path: Path) -> Study:
    objectives = [Objective.named(each) for each in DEFAULT_OBJECTIVES]
    return Study.open(tmp_path / "broken", "analytic", surrogate_space(), objectives)


@pytest.fixture
def other(tmp_path: Path, study: Study) -> Iterator[subprocess.Popen[str]]:
    """Another process that refines trial 7."""
    command = [sys.executable, str(SEARCH), "--root", str(tmp_path), "--refine", "7"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stdout.readline() == "mine\n"
        yield process
        process.kill()


def test_what_another_process_refines_is_its_own_until_it_dies(study: Study, other: subprocess.Popen[str]) -> None:
    assert study.refining() == {7}
    with study.refinement(7) as mine:
        assert not mine
    other.kill()
    other.wait()
    assert study.refining() == set()
    with study.refinement(7) as mine:
        assert mine and study.refining() == {7}
    assert {trial.state for trial in study.trials()} == {TrialState.FAIL}
    assert study.trials()[0].user_attrs["failure"] == "its process died"
    assert study.records() == []


def test_another_finalist_is_free(study: Study, other: subprocess.Popen[str]) -> None:
    with study.refinement(8) as mine:
        assert mine and study.refining() == {7, 8}
    assert study.refining() == {7}


def test_a_search_goes_on_beside_it(study: Study, other: subprocess.Popen[str]) -> None:
    assert study.run(measure, 22, anchors=ENDS).done == 22
    assert other.poll() is None
