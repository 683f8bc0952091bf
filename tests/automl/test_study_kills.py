"""Kill -9 at random moments changes nothing but trial numbers; two workers share a budget exactly."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import analytic_search
import pytest
from optuna.trial import FrozenTrial, TrialState

from automl.distributions import Params
from automl.owner import Owner
from automl.record import place_of
from automl.samplers.conformance import rows
from automl.samplers.surrogate import measure, surrogate_space
from automl.study import Study
from automl.workers import Workers
from search_spaces.objective import DEFAULT_OBJECTIVES, Objective

ENDS = [surrogate_space().config({"split": split}) for split in (0, surrogate_space().layout.splits)]
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}
BESIDE = {**ENVIRONMENT, "PYTHONPATH": str(Path(analytic_search.__file__).parent)}
START = """
import analytic_search
from automl.workers import Workers
with Workers(analytic_search.main, ({arguments},), 1) as workers:
    workers.release()
"""


def command(root: Path, name: str, *more: str) -> list[str]:
    return [sys.executable, analytic_search.__file__, *options(root, name, *more)]


def options(root: Path, name: str, *more: str) -> list[str]:
    return ["--root", str(root), "--name", name, *more]


def study(root: Path, name: str, sampler: str = "nsga2", splits: list[int] | None = None) -> Study:
    space = surrogate_space() if splits is None else surrogate_space().narrowed({"split": splits})
    objectives = [Objective.named(each) for each in DEFAULT_OBJECTIVES]
    return Study.open(root / name, "analytic", space, objectives, (), sampler, 0)


def run_killed(root: Path, arguments: list[str], moment: float) -> bool:
    """Start the search and kill it ``moment`` seconds after its first trial of this start; False if it ended."""
    log = root / "broken.measured"
    before = log.stat().st_size if log.exists() else 0
    process = subprocess.Popen(arguments, env=ENVIRONMENT, stdout=subprocess.DEVNULL)
    while process.poll() is None and (not log.exists() or log.stat().st_size == before):
        time.sleep(0.002)
    time.sleep(moment)
    process.kill()
    return process.wait() == -signal.SIGKILL


def test_a_killed_search_equals_an_unbroken_one(tmp_path: Path) -> None:
    arguments = ["--budget", "43"]
    subprocess.run(command(tmp_path, "whole", *arguments), env=ENVIRONMENT, check=True)
    moments = random.Random(0)
    for _ in range(2):
        run_killed(tmp_path, command(tmp_path, "broken", *arguments), moments.uniform(0.0, 0.5))
    subprocess.run(command(tmp_path, "broken", *arguments), env=ENVIRONMENT, check=True)
    broken = study(tmp_path, "broken")
    assert rows(broken.records()) == rows(study(tmp_path, "whole").records())
    assert TrialState.RUNNING not in {trial.state for trial in broken.trials()}


def test_two_workers_share_a_budget_exactly_and_measure_nothing_twice(tmp_path: Path) -> None:
    study(tmp_path, "broken", splits=[0])
    arguments = options(tmp_path, "broken", "--budget", "24", "--splits", "0", "--pause", "0.02")
    with Workers(analytic_search.main, (arguments,), 2) as workers:
        workers.release()
    records = study(tmp_path, "broken", splits=[0]).records()
    assert workers.codes == (0, 0)
    assert len(records) == len({record.config for record in records}) == 24
    assert len((tmp_path / "broken.measured").read_text()) == 24
    assert len({trial.user_attrs["owner"]["pid"] for trial in study(tmp_path, "broken", splits=[0]).trials()}) == 2


@pytest.mark.parametrize(("sampler", "budget"), [("nsga2", 47), ("gp", 30)])
def test_two_workers_ask_for_what_one_asks_for_although_they_are_killed(
    tmp_path: Path, sampler: str, budget: int
) -> None:
    arguments = ["--budget", str(budget), "--sampler", sampler]
    subprocess.run(command(tmp_path, "alone", *arguments), env=ENVIRONMENT, check=True)
    beside = options(tmp_path, "broken", *arguments, "--pause", "0.05")
    broken = study(tmp_path, "broken", sampler)
    victim = subprocess.Popen(command(tmp_path, "broken", *arguments, "--pause", "0.05"), env=ENVIRONMENT)
    with Workers(analytic_search.main, (beside,), 1) as workers, victim:
        workers.release()
        while not any(measuring(trial, "search") and owner(trial) == victim.pid for trial in broken.trials()):
            time.sleep(0.01)
        victim.kill()
    assert sequence(broken) == sequence(study(tmp_path, "alone", sampler))
    assert len({owner(trial) for trial in broken.trials()}) == 2


@pytest.mark.parametrize("kind", ["anchor", "search"])
def test_a_killed_worker_costs_its_trial_and_the_other_goes_on(tmp_path: Path, kind: str) -> None:
    shared = study(tmp_path, "broken", "random")
    if kind == "search":
        shared.run(measure, 1, anchors=ENDS)
    arguments = command(tmp_path, "broken", "--budget", "6", "--sampler", "random")
    victim = subprocess.Popen([*arguments, "--pause", "600"], env=ENVIRONMENT)
    while not any(measuring(trial, kind) for trial in shared.trials()):
        time.sleep(0.01)
    survivor = subprocess.Popen(arguments, env=ENVIRONMENT, stdout=subprocess.DEVNULL)
    while not any(trial.user_attrs["owner"]["pid"] == survivor.pid for trial in shared.trials()):
        time.sleep(0.01)
    victim.kill()
    assert (victim.wait(), survivor.wait()) == (-signal.SIGKILL, 0)
    # Two anchors come on top of the six; the victim's trial is failed and its place is taken by another.
    trials = shared.trials()
    assert [trial.state for trial in trials].count(TrialState.COMPLETE) == 8
    assert [trial.user_attrs.get("failure") for trial in trials].count("its process died") == 1
    assert TrialState.RUNNING not in {trial.state for trial in trials}


def test_a_worker_whose_parent_is_killed_ends_after_the_trial_in_flight(tmp_path: Path) -> None:
    shared = study(tmp_path, "broken", "random")
    arguments = options(tmp_path, "broken", "--budget", "600", "--sampler", "random", "--pause", "0.2")
    parent = subprocess.Popen([sys.executable, "-c", START.format(arguments=arguments)], env=BESIDE)
    while not any(measuring(trial, "search") for trial in shared.trials()):
        time.sleep(0.01)
    parent.kill()
    parent.wait()
    (worker,) = {Owner.from_dict(trial.user_attrs["owner"]) for trial in shared.trials()}
    while not worker.dead():
        time.sleep(0.01)
    assert {trial.state for trial in shared.trials()} == {TrialState.COMPLETE}
    assert len(shared.trials()) < 60


def sequence(shared: Study) -> list[Params]:
    """What was asked for by place in the sequence; trial numbers are given as it happens."""
    placed = {place: trial for trial in shared.trials() if (place := place_of(trial)) is not None}
    return [placed[place].params for place in sorted(placed)]


def owner(trial: FrozenTrial) -> int:
    return int(trial.user_attrs["owner"]["pid"])


def measuring(trial: FrozenTrial, kind: str) -> bool:
    return trial.state == TrialState.RUNNING and trial.user_attrs["kind"] == kind
