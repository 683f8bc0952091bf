"""nsga2: Optuna's NSGA-II (Deb et al. 2002) with policies made for small budgets of discrete choices; the default.

Parents and their record are Optuna's. Through its policy hooks three things differ from its defaults,
each for a gain in hypervolume at 200 trials (``benchmarks/samplers.py``): the first generation is stratified over
every parameter, half of the mutations step to a neighbouring choice, and within a front hypervolume contributions
stand in for the crowding distance (SMS-EMOA; Beume et al. 2007, EJOR 181), on the scales of ``selection``. Some of
the first generation are the defaults, and where there are gates smaller models that send what they are not sure of:
they find members that are as good as the cloud model.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from optuna.distributions import BaseDistribution
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler, NSGAIISampler
from optuna.study import Study
from optuna.trial import FrozenTrial

from automl.distributions import open_distributions
from automl.samplers.choices import at, index_of, last_index, ordered
from automl.samplers.generations import POPULATION, Generations
from automl.samplers.sampler import Ask
from automl.samplers.selection import costs_of, ranks, spread, survivors, violations_of
from automl.seeds import derived
from search_spaces.config import Value
from search_spaces.objective import Objective
from search_spaces.space import SearchSpace

PLAIN = 6
CASCADES = (0.75, 0.5)
"""Shares of the modules that a model keeps which answers on the edge what it is sure of."""
SENT, SENT_QUALITY = 0.3, 80
"""The share of the samples that such a model sends, as images of this quality."""
CROSSOVER = 0.9
MUTATIONS = 3.0
"""Parameters that change on average; at 1 the children of the defaults stay among themselves."""
NEIGHBOUR = 0.5


def build(ask: Ask) -> BaseSampler:
    """Return NSGA-II with a population of 20: at Optuna's 50, 200 trials are too few generations to learn."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        return NSGA2(ask)


class NSGA2(Generations, NSGAIISampler):
    """Optuna's sampler with the policies of this file."""

    def __init__(self, ask: Ask) -> None:
        super().__init__(
            population_size=POPULATION,
            seed=ask.seed,
            elite_population_selection_strategy=Elite(ask.objectives),
            child_generation_strategy=Children(ask),
        )
        self.index = ask.index
        self._open = open_distributions(ask.space)
        self._design = design_point(ask)
        self._parents: dict[int, list[FrozenTrial]] = {}

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """Return what leaves a choice: all trials have it, so Optuna's comparison of them all is not needed."""
        return self._open

    def get_parent_population(self, study: Study, generation: int) -> list[FrozenTrial]:
        """Return a generation's parents; they are read at the first draw of an ask."""
        if generation not in self._parents:
            self._parents[generation] = super().get_parent_population(study, generation)
        return self._parents[generation]

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Return a child of the parents; in the first generation a point of the design, once, then nothing."""
        params = super().sample_relative(study, trial, search_space)
        if not params:
            params, self._design = self._design, {}
        return params


def design_point(ask: Ask) -> dict[str, Any]:
    """Return this ask's point of the first generation; none after 20 asks.

    What a person would try first: cascades, so that whoever has gates sees some at once, and at six interior split
    points the defaults. The others are points of a Latin hypercube over all choices (McKay et al. 1979).
    """
    if ask.index >= POPULATION:
        return {}
    plain = _cascades(ask.space) + [{"split": split} for split in _plain_splits(ask.space)]
    if ask.index < len(plain):
        return {**{p.name: p.default for p in ask.space.parameters}, **plain[ask.index]}
    random = np.random.default_rng(derived(ask.study_seed, "first generation"))
    point: dict[str, Any] = {}
    for parameter in ask.space.parameters:
        strata = (random.permutation(POPULATION) + random.random(POPULATION)) / POPULATION
        point[parameter.name] = parameter.choices[int(strata[ask.index] * len(parameter.choices))]
    return point


def _plain_splits(space: SearchSpace) -> list[Value]:
    interior = [split for split in space["split"].choices if 0 < int(split) < space.layout.splits]
    count = min(len(interior), PLAIN)
    return [interior[i * len(interior) // count] for i in range(count)]


def _cascades(space: SearchSpace) -> list[dict[str, Value]]:
    """Return smaller models, all on the edge, behind a gate; none where that, or to send an image, is no choice."""
    choices = {parameter.name: parameter.choices for parameter in space.parameters}
    shares = [share for share in choices.get("offload", ()) if float(share) < 1]
    if not shares or space.layout.splits not in choices["split"] or "image" not in choices["payload"]:
        return []
    shared: dict[str, Value] = {
        "split": space.layout.splits,
        "payload": "image",
        "offload": _nearest(shares, SENT),
        "image_quality": _nearest(choices["image_quality"], SENT_QUALITY),
    }
    stages = [name for name in choices if name.startswith("edge_modules.")]
    counts = [space.layout.modules * share for share in CASCADES]
    return [{**shared, **{stage: _nearest(choices[stage], count) for stage in stages}} for count in counts]


def _nearest(choices: Sequence[Value], wanted: float) -> Value:
    return min(choices, key=lambda choice: abs(float(choice) - wanted))


class Elite:
    """Who of a generation and its parents becomes a parent: by front, then by what the front would lose."""

    def __init__(self, objectives: Sequence[Objective]) -> None:
        self._objectives = objectives

    def __call__(self, study: Study, population: list[FrozenTrial]) -> list[FrozenTrial]:
        """Return 20 trials sorted by number: the order in which Optuna hands a cached population back."""
        ordered = sorted(population, key=lambda trial: trial.number)
        kept = survivors(costs_of(ordered, self._objectives), violations_of(ordered), POPULATION)
        return [ordered[index] for index in kept]


class Children:
    """Binary tournaments, uniform crossover, and mutation that knows which choices are neighbours."""

    def __init__(self, ask: Ask) -> None:
        self._objectives = ask.objectives
        self._random = np.random.default_rng(ask.seed)

    def __call__(
        self, study: Study, search_space: dict[str, BaseDistribution], parents: list[FrozenTrial]
    ) -> dict[str, Any]:
        """Return the parameters of one child."""
        costs = costs_of(parents, self._objectives)
        rank = ranks(costs, violations_of(parents))
        room = spread(costs, rank)
        mother, father = (parents[self._winner(rank, room)] for _ in range(2))
        crossed = self._random.random() < CROSSOVER
        return {
            name: self._mutated(
                found, self._inherited(name, mother, father if crossed else mother), len(search_space)
            )
            for name, found in search_space.items()
        }

    def _winner(self, rank: np.ndarray, room: np.ndarray) -> int:
        one, other = (int(index) for index in self._random.integers(len(rank), size=2))
        return one if (rank[one], -room[one]) <= (rank[other], -room[other]) else other

    def _inherited(self, name: str, mother: FrozenTrial, father: FrozenTrial) -> Any:
        return (mother if self._random.random() < 0.5 else father).params[name]

    def _mutated(self, found: BaseDistribution, value: Any, parameters: int) -> Any:
        if self._random.random() >= MUTATIONS / parameters:
            return value
        index, last = index_of(found, value), last_index(found)
        if ordered(found) and self._random.random() < NEIGHBOUR:
            step = 1 if self._random.random() < 0.5 else -1
            return at(found, index + step if 0 <= index + step <= last else index - step)
        elsewhere = int(self._random.integers(last))
        return at(found, elsewhere + (elsewhere >= index))
