"""What is measured along with a search trial: recorded once, free, unseen by the sampler, safe from kills."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partialmethod
from pathlib import Path
from typing import Any

import pytest

from automl.ledger import Ledger
from automl.samplers import surrogate
from automl.seeds import trial_seed
from automl.study import Study
from evaluators.measurement import Measurement
from search_spaces.config import Config
from search_spaces.objective import DEFAULT_OBJECTIVES, Objective
from search_spaces.space import default_space

PLAIN = surrogate.surrogate_space()
SPACE = default_space(replace(PLAIN.layout, exits=tuple(range(1, PLAIN.layout.splits + 1))), 96)
OBJECTIVES = [Objective.named(name) for name in DEFAULT_OBJECTIVES]
BUDGET = 45


def measure(config: Config, seed: int) -> Measurement:
    features = {"width": config.width or 2, "stride": config.stride or 1, "bits": config.bits or 2}
    found = surrogate.measure(PLAIN.canonical(replace(config, offload=1.0, payload="", **features)), seed)
    return replace(found, bytes=found.bytes * config.offload, quality=found.quality * (0.5 + config.offload / 2))


def along(config: Config) -> dict[Config, Measurement]:
    return {each: measure(each, trial_seed(0)) for each in SPACE.along(config)}


def opened(folder: Path) -> Study:
    return Study.open(folder, "gated", SPACE, OBJECTIVES, sampler="nsga2")


def test_the_whole_curve_is_recorded_and_costs_no_budget(tmp_path: Path) -> None:
    study = opened(tmp_path)
    assert study.run(measure, BUDGET, along=along).done == BUDGET
    records = study.records()
    searched = [record for record in records if record.kind == "search"]
    assert len(searched) == BUDGET
    expected = {config for record in searched for config in SPACE.along(record.config)}
    assert {record.config for record in records} == expected
    assert len(records) == len(expected) > BUDGET
    for record in records:
        assert record.validation == measure(record.config, trial_seed(0))


def test_killed_between_the_curve_and_the_trial_nothing_is_lost_or_twice(tmp_path: Path) -> None:
    whole = opened(tmp_path / "whole")
    whole.run(measure, BUDGET, along=along)

    class KilledError(Exception):
        pass

    calls = 0

    def broken(config: Config) -> dict[Config, Measurement]:
        nonlocal calls
        calls += 1
        if calls % 7 == 0:
            raise KilledError
        return along(config)

    study = opened(tmp_path / "broken")
    for _ in range(BUDGET):
        try:
            study.run(measure, BUDGET, along=broken)
            break
        except KilledError:
            continue
    ours, theirs = ({record.config for record in each.records()} for each in (study, whole))
    assert ours == theirs
    sequences = [[r.config for r in each.records() if r.kind == "search"] for each in (study, whole)]
    assert sequences[0] == sequences[1]
    configs = [record.config for record in study.records()]
    assert len(configs) == len(set(configs))


@pytest.mark.parametrize("place", range(len(SPACE.offloads) + 2))
def test_killed_at_any_write_of_a_curve_its_place_is_measured_as_if_never_begun(
    place: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    budget = 12
    whole = opened(tmp_path / "whole")
    whole.run(measure, budget, along=along)

    class KilledError(BaseException):
        pass

    writes = 0

    def killed_at(write: Callable[..., Any], *args: Any) -> Any:
        nonlocal writes
        writes += 1
        if writes % (len(SPACE.offloads) + 2) == place:
            raise KilledError
        return write(*args)

    for name in ("note", "finish"):
        write = getattr(Ledger, name)
        monkeypatch.setattr(
            Ledger, name, partialmethod(lambda self, *args, write: killed_at(write, self, *args), write=write)
        )
    study = opened(tmp_path / "broken")
    kills = 0
    while True:
        try:
            study.run(measure, budget, along=along)
            break
        except KilledError:
            kills += 1
    assert kills
    one, other = (
        [(r.config, r.validation) for r in each.records() if r.kind == "search"] for each in (study, whole)
    )
    assert one == other
    ours, theirs = ({r.config: r.validation for r in each.records()} for each in (study, whole))
    assert ours == theirs
    assert len(study.records()) == len(ours)


def test_a_configuration_that_a_dead_trial_left_behind_can_be_drawn_for_itself(tmp_path: Path) -> None:
    study = opened(tmp_path)
    config = SPACE.config({"split": 3, "offload": 0.5})
    study._ledger.note(config, measure(config, trial_seed(0)))
    study.run(measure, 1, first=[config], along=along)
    (own,) = [record for record in study.records() if record.config == config]
    assert own.kind == "search"


def test_what_is_recorded_already_is_not_recorded_again(tmp_path: Path) -> None:
    study = opened(tmp_path)
    config = SPACE.config({"split": 3, "offload": 0.5})
    for _ in range(2):
        study._ledger.note(config, measure(config, 0))
    assert [record.kind for record in study.records()] == ["along"]
