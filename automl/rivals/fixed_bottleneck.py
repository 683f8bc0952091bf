"""Fixed bottleneck: one early split with one learned encoder, trained at several rate weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from automl.rivals.bench import Bench, config_of, settings_of
from automl.rivals.rival import Answer
from results.naming import sent
from results.rival_point import RivalName, RivalPoint, Settings
from search_spaces.config import Config
from search_spaces.layout import Layout
from search_spaces.space import SearchSpace
from search_spaces.task import SplitName

RATES = (0.25, 0.5, 1.0, 2.0, 4.0)
"""Weights of the rate term, one training each."""
BITS = 8
RESPONSE, TEMPERATURE = 1.0, 2.0


@dataclass(frozen=True)
class FixedBottleneck:
    """A bottleneck trained by distillation with an entropy model.

    Sources: Entropic Student (Matsubara et al., WACV 2022) and SC2 (Matsubara et al., TMLR 2023, its ``sc2bench``).
    As there the split is early and fixed, every module is kept and only the rate weight varies. In the rival's
    favour it has this project's bottleneck, taught supernet, context-adaptive codec and both strides.
    """

    bench: Bench
    name: RivalName = "fixed bottleneck"

    def parts(self, measured: Sequence[RivalPoint]) -> list[Settings]:
        """Return every stride and rate weight."""
        space = self.bench.plan.whole
        strides = [int(stride) for stride in space["stride"].choices]
        return [settings_of(_config(space, stride, rate)) for stride in strides for rate in RATES]

    def points(self, part: Settings) -> list[RivalPoint]:
        """Return one training's point."""
        config = config_of(part)
        figures = self.answer(part, "validation").figures(self.bench.plan.task)
        words = f"split {config.split}, {sent(config)}, rate {config.rate:g}"
        return [RivalPoint(self.name, part, words, figures)]

    def answer(self, settings: Settings, split: SplitName) -> Answer:
        """Run the trained model, every sample through its packet."""
        return self.bench.answer(config_of(settings), split)


def _config(space: SearchSpace, stride: int, rate: float) -> Config:
    full = space.layout.modules
    widest = max(int(width) for width in space["width"].choices)
    return Config(
        early_split(space.layout),
        (full,) * space.layout.stage_count,
        full,
        widest,
        stride,
        BITS,
        response=RESPONSE,
        rate=rate,
        temperature=TEMPERATURE,
    )


def early_split(layout: Layout) -> int:
    """Return the split point behind the first stage; the first one of a chain without stages."""
    first = [block for block in range(layout.splits - 1) if layout.stages[block] == 0]
    return max(first, default=0) + 1
