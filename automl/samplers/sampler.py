"""The sampler seam: what a sampler is built from, and which ones there are."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Protocol

from optuna.samplers import BaseSampler

from automl.seeds import ask_seed
from deploy.errors import unknown
from search_spaces.objective import Objective
from search_spaces.space import SearchSpace

GROUP = "eccsearch.samplers"
BUILT_IN = {
    "nsga2": "automl.samplers.nsga2",
    "pymoo-nsga2": "automl.samplers.pymoo_nsga2",
    "tpe": "automl.samplers.tpe",
    "gp": "automl.samplers.gp",
    "random": "automl.samplers.random",
}


@dataclass(frozen=True)
class Ask:
    """One question; a sampler depends on it and on the trials that it is shown alone.

    Attributes:
        space: The space that is searched.
        objectives: What is optimised, in the order of a trial's values.
        study_seed: The study's seed, the same for every ask.
        index: The asked trial's place in the sequence of search trials, from 0.
    """

    space: SearchSpace
    objectives: tuple[Objective, ...]
    study_seed: int
    index: int

    @property
    def seed(self) -> int:
        """The seed of this ask."""
        return ask_seed(self.study_seed, self.index)


def startup(ask: Ask, trials: int) -> int:
    """Return from how many COMPLETE trials on Optuna is to learn, so that it does after ``trials`` of the search.

    Optuna counts the anchors too: these plain answers would use up the start-up, and be all that is learnt from.
    """
    return 1 if ask.index >= trials else sys.maxsize


class SamplerFactory(Protocol):
    """Builds an Optuna sampler for one ask.

    A plug-in offers one under the entry point ``eccsearch.samplers``. Its attributes may say more:

    - ``draws``: how often it is asked, at most, for a configuration that is not taken; 20 unless given.
    - ``generation``: how many trials in a row know nothing of one another's results, so that as many workers
      measure them side by side; 1 unless given. It is shown the generations before alone, so its sequence is the
      same however many workers there are.
    - ``overlap``: how many trials before its generation a trial need not know either, so that none waits for the
      last of them; 0 unless given.
    """

    def __call__(self, ask: Ask) -> BaseSampler:
        """Return a fresh sampler."""
        ...


def known_before(sampler: BaseSampler, index: int) -> int:
    """Return the place before which a sampler that is asked for place ``index`` knows every result."""
    start = index - index % int(getattr(sampler, "generation", 1))
    return max(0, start - int(getattr(sampler, "overlap", 0)))


def build(name: str, ask: Ask) -> BaseSampler:
    """Return the sampler called ``name``, built for ``ask``.

    Raises:
        UserError: no sampler has that name.
    """
    return factory(name)(ask)


def factory(name: str) -> SamplerFactory:
    """Return what builds the sampler called ``name``.

    Raises:
        UserError: no sampler has that name.
    """
    if name in BUILT_IN:
        found: SamplerFactory = import_module(BUILT_IN[name]).build
        return found
    plugins = _plugins()
    if name not in plugins:
        raise unknown("sampler", name, names())
    loaded: SamplerFactory = plugins[name].load()
    return loaded


def names() -> tuple[str, ...]:
    """Return every sampler's name, the default first."""
    return (*BUILT_IN, *sorted(_plugins()))


def _plugins() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=GROUP)}
