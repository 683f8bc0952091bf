"""Finalists are refined by one process at a time; a dead one keeps nobody waiting, and no search waits at all."""

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
    """Another process that has the turn."""
    command = [sys.executable, str(SEARCH), "--root", str(tmp_path), "--hold-finals", "600"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stdout.readline() == "holds\n"
        yield process
        process.kill()


def test_a_process_waits_for_the_one_that_refines_and_says_so_once(
    study: Study, other: subprocess.Popen[str]
) -> None:
    said = []

    def waiting() -> None:
        said.append("waits")
        other.kill()

    with study.finals_turn(waiting):
        assert said == ["waits"]
        assert other.wait() != 0
    assert [trial.state for trial in study.trials()] == [TrialState.FAIL] * 2
    assert study.trials()[0].user_attrs["failure"] == "its process died"
    assert study.records() == []


def test_nobody_waits_for_a_turn_that_is_over(study: Study) -> None:
    for _ in range(2):
        with study.finals_turn(lambda: pytest.fail("there is nothing to wait for")):
            assert study.trials()[-1].state == TrialState.RUNNING


def test_a_search_goes_on_beside_it(study: Study, other: subprocess.Popen[str]) -> None:
    assert study.run(measure, 22, anchors=ENDS).done == 22
    assert other.poll() is None
