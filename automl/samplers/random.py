"""random: every parameter independently and uniformly; the floor that every other sampler is compared with."""

from __future__ import annotations

from optuna.samplers import BaseSampler, RandomSampler

from automl.samplers.sampler import Ask


def build(ask: Ask) -> BaseSampler:
    """Return Optuna's random sampler."""
    return RandomSampler(seed=ask.seed)
