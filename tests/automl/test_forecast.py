"""The forecast counts what is left, and no more of the search than its timeout allows."""

from __future__ import annotations

from dataclasses import replace

import pytest

from automl.blueprint import Blueprint, blueprint
from automl.cloud_training import batch_samples
from automl.forecast import RIVALS, Forecast, Left, joint_seconds, left_of
from automl.settings import Effort, RunSettings
from evaluators.measurement import Measurement
from results.record import Finalist, RunInfo, TrialRecord
from search_spaces.config import Config

WHOLE = Forecast(cores=2, cloud=10, supernet=20, anchors=30, trials=100, finalists=40)


@pytest.mark.parametrize(
    ("timeout", "anchors", "trials"), [(None, 30, 100), (1000, 30, 100), (50, 30, 20), (10, 10, 0), (0, 0, 0)]
)
def test_a_timeout_cuts_off_the_search_alone(timeout: float | None, anchors: float, trials: float) -> None:
    assert WHOLE.within(timeout) == replace(WHOLE, anchors=anchors, trials=trials)


@pytest.fixture(scope="module")
def plan() -> Blueprint:
    return blueprint(RunSettings("classification", "forecast", budget=3, effort=Effort(finalists=2)))


@pytest.fixture(scope="module")
def info(plan: Blueprint) -> RunInfo:
    return plan.info()


def measured(number: int, config: Config, kind: str = "search") -> TrialRecord:
    """A trial; of those with features, a higher number is better and sends more."""
    inner = config.split > 0
    measurement = Measurement(0.1 * (number + inner), 1e3 * config.split, 10.0 * (number + inner), 1, 1, 1)
    return TrialRecord(number, kind, config, measurement)  # type: ignore[arg-type]


def finished(record: TrialRecord) -> TrialRecord:
    finalist = Finalist(record.validation, record.validation, (0.1, 0.2), (-0.1, 0.1))
    return replace(record, finalist=finalist)


def test_of_a_fresh_run_everything_is_left(plan: Blueprint, info: RunInfo) -> None:
    assert left_of(plan, [], info) == Left(len(plan.anchors()), 3, refined=2 + RIVALS, tested=1 + RIVALS)


def test_what_is_measured_and_tested_is_not_left(plan: Blueprint, info: RunInfo) -> None:
    anchors = [measured(0, config, "anchor") for config in plan.anchors()]
    search = [measured(n, plan.space.config({"split": n})) for n in (1, 2, 3)]
    expected = 2 + RIVALS
    assert left_of(plan, [*anchors, search[0]], info) == Left(0, 2, refined=expected, tested=1 + RIVALS)
    assert left_of(plan, [*anchors, finished(search[0])], info) == Left(
        0, 2, refined=expected - 1, tested=1 + RIVALS
    )
    assert left_of(plan, [*anchors, *search], info).refined == 2
    everyone = [finished(record) for record in (*anchors, *search)]
    assert left_of(plan, everyone, info) == Left(0, 0, 0, 0)


def test_without_finalists_none_is_left(plan: Blueprint, info: RunInfo) -> None:
    none = replace(plan, settings=replace(plan.settings, effort=Effort(finalists=0)))
    assert left_of(none, [], info) == Left(len(plan.anchors()), 3, 0, 0)


def test_a_larger_batch_takes_longer_and_two_processes_share_it(plan: Blueprint) -> None:
    batch = batch_samples(plan.task)
    two = replace(plan, settings=replace(plan.settings, workers=2, threads=1))
    once = joint_seconds(two, 1.0, batch)
    assert 0.5 < once < 1
    assert once < joint_seconds(two, 1.0, 2 * batch) < 2 * once
