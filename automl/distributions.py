"""Distributions: the search space in Optuna's words, and a Config in the words of the search space."""

from __future__ import annotations

from itertools import pairwise

from optuna.distributions import BaseDistribution, CategoricalDistribution, IntDistribution

from search_spaces.config import Config, Value
from search_spaces.parameter import Parameter
from search_spaces.space import SearchSpace

Params = dict[str, Value]


def distributions(space: SearchSpace) -> dict[str, BaseDistribution]:
    """Return every parameter's distribution by name, in the space's order."""
    return {parameter.name: distribution(parameter) for parameter in space.parameters}


def open_distributions(space: SearchSpace) -> dict[str, BaseDistribution]:
    """Return the distributions of the parameters that leave a choice."""
    return {name: found for name, found in distributions(space).items() if not found.single()}


def distribution(parameter: Parameter) -> BaseDistribution:
    """Return an integer range where the choices are integers in arithmetic progression, else a choice of values."""
    choices = parameter.choices
    integers = [choice for choice in choices if isinstance(choice, int)]
    steps = {b - a for a, b in pairwise(integers)}
    if len(integers) < len(choices) or len(steps) > 1:
        return CategoricalDistribution(choices)
    return IntDistribution(integers[0], integers[-1], step=steps.pop() if steps else 1)


def params_of(space: SearchSpace, config: Config) -> Params | None:
    """Return parameters of the space whose canonical Config is ``config``'s; None where the space has none.

    A canonical Config holds neutral values where a parameter is inactive: those become the parameter's default.
    """
    flat = config.to_params()
    params = {p.name: flat[p.name] if flat.get(p.name) in p.choices else p.default for p in space.parameters}
    return params if config_of(space, params) == space.canonical(config) else None


def config_of(space: SearchSpace, params: Params) -> Config:
    """Return the canonical Config of a complete set of parameters."""
    return space.canonical(Config.from_params(params))
