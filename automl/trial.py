"""A trial: derive, distil, measure."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from automl.descent import descend
from automl.distillation import distillation_loss, parameter_groups
from automl.lessons import Lessons, TaughtBatch
from automl.shards import Shards
from automl.training import drawing
from deploy.symbol_tables import SymbolTables
from evaluators.link import link_of
from evaluators.measure import measure
from evaluators.measurement import Measurement
from evaluators.outcome import Outcome, calibrated_tables, outcome
from evaluators.subject import Subject
from search_spaces.config import Config
from search_spaces.derived import DerivedModel
from search_spaces.recalibration import recalibrate
from search_spaces.supernet import Supernet
from search_spaces.task import DataSplit, Task

VERSION = 5
"""Raise this whenever a change of the code changes what a trial of the same recipe measures."""
RECALIBRATION_BATCH = 64


@dataclass(frozen=True)
class TrialRecipe:
    """How a derived model is distilled and calibrated.

    Attributes:
        steps: Optimiser steps.
        batch: Samples a step.
        learning_rate: Peak of the one-cycle schedule.
        calibration: Training samples that symbol tables are calibrated on; a third of them for batch norms.
        batches: Batches that differ; longer trainings go through them again, whose lessons are kept in memory.
    """

    steps: int
    batch: int = 16
    learning_rate: float = 1e-3
    calibration: int = 640
    batches: int = 300


@dataclass(frozen=True)
class Candidate:
    """A derived model that is ready to run: its weights and the symbol tables of each tensor that is sent."""

    derived: DerivedModel
    tables: tuple[SymbolTables, ...] = ()


class Trial:
    """Turns a Config into a measured candidate. Deterministic given Config and seed.

    Args:
        task: The task.
        supernet: The taught supernet.
        recipe: How sub-models are distilled.
    """

    def __init__(self, task: Task, supernet: Supernet, recipe: TrialRecipe) -> None:
        self.task, self.supernet, self.recipe = task, supernet, recipe
        self._lessons = Lessons(task, supernet.cloud)

    def candidate(self, config: Config, seed: int) -> Candidate:
        """Derive and distil; the ends that run the cloud model need no training."""
        derived = self.supernet.derive(config).to(memory_format=torch.channels_last)
        if self.supernet.is_cloud_model(config):
            return Candidate(derived.eval())
        return self.distilled(derived, seed, self.recipe)

    def distilled(self, derived: DerivedModel, seed: int, recipe: TrialRecipe) -> Candidate:
        """Train ``derived`` in place under the cloud model, then calibrate batch norms and tables."""
        train = self.task.data("train")
        self._distil(derived, train, seed, recipe)
        self._recalibrate(derived, train, recipe)
        return Candidate(derived, calibrated_tables(derived, train, recipe.calibration))

    def _distil(self, derived: DerivedModel, train: DataSplit, seed: int, recipe: TrialRecipe) -> None:
        taps = derived.tap_points if derived.config.feature else ()
        optimizer = torch.optim.AdamW(parameter_groups(derived, recipe.learning_rate), fused=True)
        shards = Shards(derived.train(), min(recipe.batch, len(train)), torch.get_num_threads())
        for step in range(recipe.steps):
            batch = self._lessons.batch(train, recipe.batch, seed, step % recipe.batches, taps)
            with drawing(seed, step):
                shards.backward(partial(self._losses, batch))
            descend(optimizer, shards.parameters, step, recipe.steps)

    def _losses(self, batch: TaughtBatch, model: DerivedModel, rows: slice) -> list[Tensor]:
        mine = batch.part(rows)
        trace = model.trace(mine.images)
        return [distillation_loss(trace, mine.lesson, mine.targets, self.task, model.config)]

    def _recalibrate(self, derived: DerivedModel, train: DataSplit, recipe: TrialRecipe) -> None:
        rows = train.batches(RECALIBRATION_BATCH, recipe.calibration // 3)
        recalibrate(derived, (train.batch(batch)[0] for batch in rows))

    def outcome(self, candidate: Candidate, data: DataSplit) -> Outcome:
        """Run a candidate over a split."""
        link = link_of(candidate.derived, candidate.tables, self.task.image_size)
        return outcome(candidate.derived, self.task, data, link)

    def measured(self, candidate: Candidate, data: DataSplit) -> Measurement:
        """Measure a candidate on a split."""
        return measure(Subject(candidate.derived, self.task, self.outcome(candidate, data)))
