"""random: every parameter independently and uniformly; the floor that every other sampler is compared with."""

from __future__ import annotations

import sys

from optuna.samplers import BaseSampler, RandomSampler

from automl.samplers.sampler import Ask


class Random(RandomSampler):
    """Optuna's random sampler: whatever was measured, it asks for the same."""

    generation = sys.maxsize


def build(ask: Ask) -> BaseSampler:
    """Return the sampler."""
    return Random(seed=ask.seed)
