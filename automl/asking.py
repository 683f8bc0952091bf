"""Once: the thin wrapper round any sampler that draws all parameters and never the same configuration twice."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import islice
from typing import Any

import numpy as np
from optuna.distributions import BaseDistribution, CategoricalDistribution, IntDistribution
from optuna.samplers import BaseSampler
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from automl.distributions import Params, config_of, distributions, params_of
from automl.samplers.choices import at, last_index
from automl.samplers.sampler import Ask
from automl.seeds import derived
from search_spaces.config import Config

DRAWS = 20
MUTATIONS = 50
SMALL = 5_000


class SpaceExhaustedError(Exception):
    """Every configuration of the space has been measured or is being measured."""


class Once(BaseSampler):
    """Asks the inner sampler for a configuration that is not ``taken``.

    At most 20 draws, or as many as the sampler's own ``draws``. Then the last draw is mutated in active parameters,
    one at a time; then what is left of the space is enumerated.
    """

    def __init__(
        self, inner: BaseSampler, ask: Ask, taken: Collection[Config], fixed: Params | None = None
    ) -> None:
        """Wrap ``inner``.

        Args:
            inner: Any Optuna sampler, built for ``ask``.
            ask: What is asked.
            taken: Canonical Configs that are COMPLETE or RUNNING.
            fixed: The user's own parameters: taken as they are, after the inner sampler has done its bookkeeping.
        """
        self._inner = inner
        self._ask = ask
        self._taken = taken
        self._fixed = fixed
        self._distributions = distributions(ask.space)
        self._random = np.random.default_rng(derived(ask.seed, "once"))

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """Return all parameters of the space, always."""
        return self._distributions

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Return all parameters of a configuration that is not taken.

        Raises:
            SpaceExhaustedError: there is none.
        """
        drawn = self._draw(study, trial)
        if self._fixed is not None:
            return self._fixed
        if self._free(drawn):
            return drawn
        return self._redrawn(study, trial) or self._mutated(drawn) or self._enumerated()

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """Never needed: every parameter is drawn by ``sample_relative``."""
        raise AssertionError(f"{param_name} is no parameter of the space")

    def before_trial(self, study: Study, trial: FrozenTrial) -> None:
        """Let the inner sampler prepare."""
        self._inner.before_trial(study, trial)

    def after_trial(
        self, study: Study, trial: FrozenTrial, state: TrialState, values: Sequence[float] | None
    ) -> None:
        """Let the inner sampler conclude."""
        self._inner.after_trial(study, trial, state, values)

    def _draw(self, study: Study, trial: FrozenTrial) -> Params:
        space = self._inner.infer_relative_search_space(study, trial)
        params = dict(self._inner.sample_relative(study, trial, space))
        for name, found in self._distributions.items():
            if found.single():
                params[name] = at(found, 0)
            elif name not in params:
                params[name] = self._inner.sample_independent(study, trial, name, found)
        return {name: _plain(found, params[name]) for name, found in self._distributions.items()}

    def _free(self, params: Params) -> bool:
        return config_of(self._ask.space, params) not in self._taken

    def _redrawn(self, study: Study, trial: FrozenTrial) -> Params | None:
        for _ in range(getattr(self._inner, "draws", DRAWS) - 1):
            drawn = self._draw(study, trial)
            if self._free(drawn):
                return drawn
        return None

    def _mutated(self, start: Params) -> Params | None:
        params, config = start, config_of(self._ask.space, start)
        open_names = [name for name, found in self._distributions.items() if not found.single()]
        for _ in range(MUTATIONS if open_names else 0):
            name = open_names[int(self._random.integers(len(open_names)))]
            found = self._distributions[name]
            changed = {**params, name: at(found, int(self._random.integers(last_index(found) + 1)))}
            candidate = config_of(self._ask.space, changed)
            if candidate == config:
                continue
            if candidate not in self._taken:
                return changed
            params, config = changed, candidate
        return None

    def _enumerated(self) -> Params:
        # The one of the highest priority: whatever else is taken meanwhile, the same one is free.
        left = list(islice(self._left(), SMALL))
        if not left:
            raise SpaceExhaustedError
        params = params_of(self._ask.space, min(left, key=self._priority))
        assert params is not None
        return params

    def _priority(self, config: Config) -> int:
        return derived(self._ask.seed, "left", dict(config.to_params()))

    def _left(self) -> Iterator[Config]:
        return (config for config in self._ask.space.configs() if config not in self._taken)


def _plain(found: BaseDistribution, value: Any) -> Any:
    """Return the choice itself where a sampler hands back a number of numpy's."""
    if isinstance(found, IntDistribution):
        return int(value)
    if isinstance(found, CategoricalDistribution):
        return found.choices[int(found.to_internal_repr(value))]
    return value
