"""pymoo-nsga2: pymoo's survival and mating (Blank and Deb 2020, arXiv 2002.04504) in Optuna's record."""

from __future__ import annotations

from typing import Any

import numpy as np
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, RandomSampler
from optuna.study import Study, StudyDirection
from optuna.trial import FrozenTrial
from pymoo.algorithms.moo.nsga2 import binary_tournament
from pymoo.core.individual import Individual
from pymoo.core.mixed import MixedVariableMating
from pymoo.core.population import Population
from pymoo.core.problem import Problem
from pymoo.core.variable import Choice, Integer
from pymoo.operators.selection.tournament import TournamentSelection
from pymoo.operators.survival.rank_and_crowding import RankAndCrowding

from automl.distributions import open_distributions
from automl.samplers.choices import at, index_of, last_index, ordered
from automl.samplers.generations import POPULATION, Generations
from automl.samplers.sampler import Ask
from automl.seeds import derived


def build(ask: Ask) -> BaseSampler:
    """Return pymoo's NSGA-II with a population of 20."""
    return PymooNSGA2(ask)


class _Tournament:
    """What pymoo's binary tournament asks its algorithm for."""

    tournament_type = "comp_by_rank_and_crowding"

    def __init__(self, random_state: np.random.Generator) -> None:
        self.random_state = random_state


class PymooNSGA2(Generations):
    """Parents' record is Optuna's; who survives and who mates with what result is pymoo's.

    Every parameter is a choice index: pymoo's integer operators (simulated binary crossover, polynomial mutation,
    rounded) move along ordered parameters, its choice operators exchange the others.
    """

    def __init__(self, ask: Ask) -> None:
        super().__init__(population_size=POPULATION)
        self.index = ask.index
        self._random = np.random.default_rng(ask.seed)
        self._study_seed = ask.study_seed
        self._first = RandomSampler(seed=ask.seed)
        self._open = open_distributions(ask.space)

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """Return what leaves a choice: all trials have it, so Optuna's comparison of them all is not needed."""
        return self._open

    def select_parent(self, study: Study, generation: int) -> list[FrozenTrial]:
        """Return the 20 survivors of the last generation and its parents, sorted by trial number."""
        trials = self.get_population(study, generation - 1) + self.get_parent_population(study, generation - 1)
        # Asked once a generation, then the study holds the answer: it may not use up the ask's own random numbers.
        random = np.random.default_rng(derived(self._study_seed, "survival", generation))
        survivors = self._survivors(study, sorted(trials, key=lambda t: t.number), {}, random)
        return sorted((each.data["trial"] for each in survivors), key=lambda t: t.number)

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Return one child of the generation's parents; nothing in the first generation."""
        parents = self.get_parent_population(study, self.get_trial_generation(study, trial))
        if not parents:
            return {}
        mating = MixedVariableMating(
            selection=TournamentSelection(func_comp=binary_tournament), eliminate_duplicates=None
        )
        child = mating.do(
            _problem(search_space, parents),
            self._survivors(study, parents, search_space, self._random),
            1,
            algorithm=_Tournament(self._random),
            random_state=self._random,
        )[0]
        return {name: at(search_space[name], int(index)) for name, index in child.X.items()}

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """Return a uniform choice: the first generation."""
        return self._first.sample_independent(study, trial, param_name, param_distribution)

    def _survivors(
        self,
        study: Study,
        trials: list[FrozenTrial],
        search_space: dict[str, BaseDistribution],
        random: np.random.Generator,
    ) -> Population:
        signs = [-1.0 if each == StudyDirection.MAXIMIZE else 1.0 for each in study.directions]
        individuals = [_individual(trial, signs, search_space) for trial in trials]
        survival = RankAndCrowding()
        return survival.do(
            _problem(search_space, trials),
            Population.create(*individuals),
            n_survive=POPULATION,
            random_state=random,
        )


def _individual(trial: FrozenTrial, signs: list[float], search_space: dict[str, BaseDistribution]) -> Individual:
    made = Individual(X={name: index_of(found, trial.params[name]) for name, found in search_space.items()})
    made.set("F", np.array(trial.values) * signs)
    made.set("G", np.array(list(trial.constraints.values()), dtype=float))
    # The last front's unranked rest, and infeasible survivors, get no rank from the survival.
    made.set("rank", np.inf)
    made.set("crowding", -np.inf)
    made.data["trial"] = trial
    return made


def _problem(search_space: dict[str, BaseDistribution], trials: list[FrozenTrial]) -> Problem:
    variables = {name: _variable(found) for name, found in search_space.items()}
    constraints = max((len(trial.constraints) for trial in trials), default=0)
    return Problem(vars=variables, n_obj=len(trials[0].values), n_ieq_constr=constraints)


def _variable(found: BaseDistribution) -> Integer | Choice:
    last = last_index(found)
    if ordered(found):
        return Integer(bounds=(0, last))
    return Choice(options=list(range(last + 1)))
