"""tpe: Optuna's tree-structured Parzen estimator (Ozaki et al. 2022, Multiobjective TPE, JAIR 73)."""

from __future__ import annotations

import warnings

from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler, TPESampler

from automl.samplers.sampler import Ask


def build(ask: Ask) -> BaseSampler:
    """Return the estimator over all parameters jointly; what others measure counts as bad (constant liar)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        return TPESampler(seed=ask.seed, multivariate=True, constant_liar=True, n_startup_trials=20)
