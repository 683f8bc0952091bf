"""tpe: Optuna's tree-structured Parzen estimator (Ozaki et al. 2022, Multiobjective TPE, JAIR 73)."""

from __future__ import annotations

import warnings

from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler, TPESampler

from automl.samplers.sampler import Ask, startup

STARTUP = 20


def build(ask: Ask) -> BaseSampler:
    """Return the estimator of all parameters jointly: one at a time, an ask takes a second at 200 trials.

    What other workers are measuring counts as bad (constant liar).
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        return TPESampler(
            seed=ask.seed, multivariate=True, constant_liar=True, n_startup_trials=startup(ask, STARTUP)
        )
