"""tpe: Optuna's tree-structured Parzen estimator (Ozaki et al. 2022, Multiobjective TPE, JAIR 73)."""

from __future__ import annotations

import warnings

from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler, TPESampler

from automl.samplers.sampler import Ask, startup

STARTUP = 20


class TPE(TPESampler):
    """Optuna's estimator of all parameters jointly: one at a time, an ask takes a second at 200 trials."""

    generation = 4

    def __init__(self, ask: Ask) -> None:
        super().__init__(seed=ask.seed, multivariate=True, n_startup_trials=startup(ask, STARTUP))


def build(ask: Ask) -> BaseSampler:
    """Return the estimator."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        return TPE(ask)
