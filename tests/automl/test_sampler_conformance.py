"""Every built-in sampler keeps the promises that plug-ins are held to."""

from __future__ import annotations

from pathlib import Path

import pytest

from automl.samplers import conformance, gp, tpe
from automl.samplers.sampler import BUILT_IN
from automl.samplers.surrogate import measure, surrogate_space
from automl.study import Study
from search_spaces.config import Config
from search_spaces.objective import DEFAULT_OBJECTIVES, Objective

TRIALS = {"nsga2": 42, "pymoo-nsga2": 42, "tpe": 32, "random": 8, "gp": 12}
"""The genetic samplers learn in generations of 20, tpe from trial 20, gp from trial 10 on."""


@pytest.mark.parametrize("check", conformance.CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", BUILT_IN)
def test_sampler_conforms(name: str, check: conformance.Check, tmp_path: Path) -> None:
    check(name, tmp_path, TRIALS[name])


@pytest.mark.parametrize(("name", "startup"), [("tpe", tpe.STARTUP), ("gp", gp.STARTUP)])
def test_anchors_do_not_use_up_the_random_start(name: str, startup: int, tmp_path: Path) -> None:
    # Features, not images: a random draw is hardly ever one of them, and then both searches ask for the same.
    anchors = [surrogate_space().config({"split": s, "bits": b}) for s in (2, 3, 4, 5, 6) for b in range(1, 7)]
    with_anchors = asked(name, startup + 1, tmp_path / "with", anchors)
    random = asked("random", startup + 1, tmp_path / "random", [])
    assert with_anchors[:startup] == random[:startup]
    assert with_anchors[startup] != random[startup]


def asked(name: str, trials: int, folder: Path, anchors: list[Config]) -> list[Config]:
    objectives = [Objective.named(each) for each in DEFAULT_OBJECTIVES]
    study = Study.open(folder, "study", surrogate_space(), objectives, sampler=name)
    study.run(measure, trials, anchors=anchors)
    return [record.config for record in study.records() if record.kind == "search"]
