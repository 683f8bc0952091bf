"""Every built-in sampler keeps the promises that plug-ins are held to."""

from __future__ import annotations

from pathlib import Path

import pytest

from automl.samplers import conformance
from automl.samplers.sampler import BUILT_IN

TRIALS = {"nsga2": 42, "pymoo-nsga2": 42, "tpe": 24, "random": 8, "gp": 12}
"""The genetic samplers learn in generations of 20, tpe from trial 20, gp from trial 10 on."""


@pytest.mark.parametrize("check", conformance.CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", BUILT_IN)
def test_sampler_conforms(name: str, check: conformance.Check, tmp_path: Path) -> None:
    check(name, tmp_path, TRIALS[name])
