"""Teaching the supernet: one training with the sandwich rule under the cloud model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from automl.ahead import Ahead
from automl.descent import descend
from automl.distillation import distillation_loss, parameter_groups, rate_loss, sent_bits
from automl.lessons import lesson
from automl.peers import Peers
from automl.shards import Shards
from automl.training import drawing, training_batch
from search_spaces.config import Config, Value
from search_spaces.placement import device_of
from search_spaces.space import DISTILLATION, GATE, IMAGE, SearchSpace
from search_spaces.supernet import Supernet
from search_spaces.task import Target, Task

VERSION = 4
"""Raise this whenever a change of the code changes the supernet that the same recipe gives."""
SEED = 1
"""One supernet serves every study, so its seed is no study's."""

RATE = 0.5
"""Weight of the rate term while the supernet is taught."""


@dataclass(frozen=True)
class TeachingRecipe:
    """How the supernet is taught.

    Attributes:
        steps: Number of optimiser steps.
        batch: Samples a step.
        learning_rate: Peak of the one-cycle schedule.
        random: Random configurations a step, between the largest and the smallest.
        learnt_rate: Peak for the cloud model's own blocks, where it is lower.
    """

    steps: int
    batch: int = 16
    learning_rate: float = 4e-3
    random: int = 2
    learnt_rate: float | None = None


def taught_parameters(space: SearchSpace) -> dict[str, tuple[Value, ...]]:
    """Return the choices that shape the supernet, by name: images, gates and a trial's own weights do not."""
    others = (*IMAGE, *DISTILLATION, *GATE)
    return {p.name: p.choices for p in space.parameters if p.name not in others}


class SupernetTeaching:
    """Teaches every split point, width, stride, bit width, module count and resolution at once, as a Trainee.

    Each step learns from the whole chain, the smallest configuration of a random split point and ``random``
    others (sandwich rule, Yu and Huang 2019, arXiv 1903.05134).

    Args:
        task: The task.
        supernet: What is taught.
        space: What it is to serve.
        recipe: How it is taught.
        threads: Threads of all shards together.
        peers: Processes that have the other shards.
    """

    def __init__(
        self,
        task: Task,
        supernet: Supernet,
        space: SearchSpace,
        recipe: TeachingRecipe,
        threads: int = 1,
        peers: Peers | None = None,
    ) -> None:
        self.task, self.supernet, self.recipe = task, supernet.train(), recipe
        self.device = device_of(supernet)
        self.space = space.narrowed({"split": [s for s in space["split"].choices if s != 0]})
        self.drawn = [p for p in self.space.parameters if p.name in taught_parameters(space)]
        self.data = task.data("train")
        groups = parameter_groups(supernet, recipe.learning_rate, recipe.learnt_rate)
        self.optimizer = torch.optim.AdamW(groups, fused=True)
        self.shards = Shards(self.supernet, min(recipe.batch, len(self.data)), threads, peers=peers)
        draw = partial(training_batch, task, self.data, recipe.batch, SEED, device=self.device)
        self.batches = Ahead(draw, recipe.steps)

    def step(self, index: int) -> Tensor:
        """Learn from the batch of step ``index``; return the mean loss of its configurations."""
        images, targets = self.batches[index]
        configs = self.sandwich(index)
        with drawing(SEED, index):
            loss = self.shards.backward(
                lambda supernet, rows: self._losses(supernet, images[rows], targets[rows], configs)
            )
        heads = [*self.supernet.heads.parameters()]
        descend(self.optimizer, self.shards.parameters, index, self.recipe.steps, heads)
        return loss

    def _losses(
        self, supernet: Supernet, images: Tensor, targets: list[Target], configs: Sequence[Config]
    ) -> Iterator[Tensor]:
        taught = lesson(supernet.cloud, images, taps=())
        for config in configs:
            trace = supernet.trace(images, config)
            loss = distillation_loss(trace, taught, targets, self.task, config)
            if config.rate and trace.quantised:
                loss = loss + rate_loss(sent_bits(trace), config.rate, self.task)
            yield loss / len(configs)

    def sandwich(self, index: int) -> Sequence[Config]:
        """Return the configurations of one step."""
        rng = np.random.default_rng([SEED, index])
        drawn = [self._draw(rng) for _ in range(self.recipe.random + 1)]
        return [self._whole(), self._smallest(drawn[0]), *drawn[1:]]

    def _draw(self, rng: np.random.Generator) -> Config:
        params = {p.name: p.choices[rng.integers(len(p.choices))] for p in self.drawn}
        # Exit heads learn beside whatever is drawn; it is drawn as if every sample were sent.
        ungated = {**{p.name: p.default for p in self.space.parameters}, "offload": 1.0}
        drawn = self.space.canonical(Config.from_params({**ungated, **params}))
        return replace(drawn, response=1.0, feature=0.0, rate=RATE, temperature=2.0)

    def _whole(self) -> Config:
        return replace(self.supernet.cloud_config(), response=1.0, temperature=2.0)

    def _smallest(self, config: Config) -> Config:
        fewest = tuple(
            min(int(c) for c in self.space[f"edge_modules.stage{i + 1}"].choices)
            for i in range(self.supernet.layout.stage_count)
        )
        width, side = min(int(c) for c in self.space["width"].choices), self.space.resolutions[0]
        return replace(config, edge_modules=fewest, width=width, resolution=side)

    def state_dict(self) -> dict[str, Any]:
        """Return the supernet's and the optimiser's state."""
        return {"supernet": self.supernet.state_dict(), "optimizer": self.optimizer.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take the state that ``state_dict`` returned."""
        self.supernet.load_state_dict(state["supernet"])
        self.optimizer.load_state_dict(state["optimizer"])
