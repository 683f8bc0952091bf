"""Edge only: sub-models of the cloud model in several sizes, nothing is sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from automl.rivals.bench import Bench, config_of, settings_of
from automl.rivals.rival import Answer
from results.naming import on_edge
from results.plain_answers import edge_only_frontier
from results.rival_point import RivalName, RivalPoint, Settings
from search_spaces.config import Config
from search_spaces.space import SearchSpace
from search_spaces.task import SplitName

SEARCHED = 4
"""Sizes taken of the run's own edge-only frontier, spread evenly over it."""


@dataclass(frozen=True)
class EdgeOnly:
    """A ladder of edge-only sub-models: as many modules in every stage, and what the search found best.

    In the rival's favour its sizes are those that the search itself found, and each is trained as a finalist is.
    """

    bench: Bench
    name: RivalName = "edge only"

    def parts(self, measured: Sequence[RivalPoint]) -> list[Settings]:
        """Return the ladder."""
        return [settings_of(config) for config in self.ladder()]

    def points(self, part: Settings) -> list[RivalPoint]:
        """Return one sub-model's point."""
        config = config_of(part)
        figures = self.answer(part, "validation").figures(self.bench.plan.task)
        return [RivalPoint(self.name, part, on_edge(config), figures)]

    def answer(self, settings: Settings, split: SplitName) -> Answer:
        """Run a sub-model."""
        return self.bench.answer(config_of(settings), split)

    def ladder(self) -> list[Config]:
        """Return the sub-models, each once: the cloud model, the uniform ones by falling size, the search's.

        Where the run's edge may see a smaller image, the uniform ones see each of its sizes.
        """
        space = self.bench.plan.whole
        counts = range(space.layout.modules, -1, -1)
        sides = dict.fromkeys((0, *reversed(self.bench.plan.space.resolutions)))
        uniform = [_uniform(space, count, side) for side in sides for count in counts]
        return list(dict.fromkeys([*uniform, *self._searched()]))

    def _searched(self) -> list[Config]:
        frontier = edge_only_frontier(self.bench.records, self.bench.info)
        trained = [r.config for r in frontier if not self.bench.trial.supernet.is_cloud_model(r.config)]
        if len(trained) <= SEARCHED:
            return trained
        return [trained[round(k * (len(trained) - 1) / (SEARCHED - 1))] for k in range(SEARCHED)]


def _uniform(space: SearchSpace, count: int, side: int) -> Config:
    stages = {f"edge_modules.stage{stage + 1}": count for stage in range(space.layout.stage_count)}
    return replace(space.config({"split": space.layout.splits, **stages}), resolution=side)
