"""A trial: derive, distil, measure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial

import torch
from torch import Tensor

from automl.descent import descend
from automl.distillation import distillation_loss, parameter_groups, rate_loss, sent_bits
from automl.gating import learn_gate
from automl.lessons import Lessons, TaughtBatch
from automl.rate_hold import RateHold
from automl.shards import Shards
from automl.training import drawing
from deploy.symbol_tables import SymbolTables
from evaluators.answers import Answers, answers
from evaluators.device_profile import DeviceProfile
from evaluators.link import Link, link_of
from evaluators.measure import measure, measure_along
from evaluators.measurement import Measurement
from evaluators.outcome import Outcome, calibrated_tables, outcome
from evaluators.subject import Subject
from search_spaces.config import Config
from search_spaces.derived import DerivedModel
from search_spaces.recalibration import recalibrate
from search_spaces.space import IMAGE
from search_spaces.supernet import Supernet
from search_spaces.task import DataSplit, SplitName, Task

VERSION = 6
"""Raise this whenever a change of the code changes what a trial of the same recipe measures."""
RECALIBRATION_BATCH = 64
GATE_BATCH = 64
GATE_SAMPLES, GATE_EPOCHS = 2, 2
"""Training samples of a gate, for each one that tables are calibrated on; how often a sample comes, at most."""
IMAGE_SETTINGS = 32
"""Image settings whose outcomes are remembered for gates that send images."""


@dataclass(frozen=True)
class TrialRecipe:
    """How a derived model is distilled and calibrated.

    Attributes:
        steps: Optimiser steps.
        batch: Samples a step.
        learning_rate: Peak of the one-cycle schedule.
        calibration: Training samples that symbol tables are calibrated on; a third of them for batch norms.
        batches: Batches that differ; longer trainings go through them again; lessons are kept while memory allows.
        learnt_rate: Peak for the cloud model's own blocks, where it is lower.
        hold_rate: Whether the rate term grows where more bits are sent than in the first steps.
    """

    steps: int
    batch: int = 16
    learning_rate: float = 1e-3
    calibration: int = 640
    batches: int = 300
    learnt_rate: float | None = None
    hold_rate: bool | None = None


@dataclass(frozen=True)
class Candidate:
    """A derived model that is ready to run.

    Attributes:
        derived: Its weights.
        tables: The symbol tables of each tensor that is sent.
        threshold: The most harm that its gate accepts; without a gate it says nothing.
    """

    derived: DerivedModel
    tables: tuple[SymbolTables, ...] = ()
    threshold: float = 0.0


@dataclass(frozen=True)
class Measured:
    """A candidate and what was measured of it on validation."""

    candidate: Candidate
    measurement: Measurement


def gate_samples(recipe: TrialRecipe, samples: int) -> int:
    """Return how many augmented samples a gate learns from, where so many are there for training."""
    return min(GATE_SAMPLES * recipe.calibration, GATE_EPOCHS * samples)


def _at(candidate: Candidate, config: Config, threshold: float) -> Candidate:
    return replace(candidate, derived=candidate.derived.with_config(config), threshold=threshold)


class Trial:
    """Turns a Config into a measured candidate. Deterministic given Config and seed.

    Args:
        task: The task.
        supernet: The taught supernet.
        recipe: How sub-models are distilled.
        profile: What latency and energy are told by; None measures neither.
    """

    def __init__(
        self, task: Task, supernet: Supernet, recipe: TrialRecipe, profile: DeviceProfile | None = None
    ) -> None:
        self.task, self.supernet, self.recipe, self.profile = task, supernet, recipe, profile
        self._lessons = Lessons(task, supernet.cloud)
        self._images = lru_cache(IMAGE_SETTINGS)(self._images_anew)

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
        candidate = Candidate(derived, calibrated_tables(derived, train, recipe.calibration))
        return candidate if derived.answering is None else self._gated(candidate, seed, recipe)

    def _gated(self, candidate: Candidate, seed: int, recipe: TrialRecipe) -> Candidate:
        """Teach the gate on training data and find its threshold on validation."""
        train = self.task.data("train")
        steps = -(-gate_samples(recipe, len(train)) // GATE_BATCH)
        batches = (self._lessons.batch(train, GATE_BATCH, seed, step, ()) for step in range(steps))
        learn_gate(candidate.derived, self.task, batches)
        found = self.answers(candidate, self.task.data("validation"))
        return replace(candidate, threshold=found.threshold(candidate.derived.config.offload))

    def _distil(self, derived: DerivedModel, train: DataSplit, seed: int, recipe: TrialRecipe) -> None:
        taps = derived.tap_points if derived.config.feature else ()
        groups = parameter_groups(derived, recipe.learning_rate, recipe.learnt_rate)
        optimizer = torch.optim.AdamW(groups, fused=True)
        shards = Shards(derived.train(), min(recipe.batch, len(train)), torch.get_num_threads())
        hold = RateHold(derived.config.rate, recipe.hold_rate)
        for step in range(recipe.steps):
            batch = self._lessons.batch(train, recipe.batch, seed, step % recipe.batches, taps)
            with drawing(seed, step):
                shards.backward(partial(self._losses, batch, hold))
            hold.follow()
            descend(optimizer, shards.parameters, step, recipe.steps)

    def _losses(self, batch: TaughtBatch, hold: RateHold, model: DerivedModel, rows: slice) -> list[Tensor]:
        mine = batch.part(rows)
        trace = model.trace(mine.images)
        loss = distillation_loss(trace, mine.lesson, mine.targets, self.task, model.config)
        if trace.quantised and hold.matters:
            bits = sent_bits(trace)
            hold.hear(rows.start, bits)
            loss = loss + rate_loss(bits, hold.weight, self.task)
        return [loss]

    def _recalibrate(self, derived: DerivedModel, train: DataSplit, recipe: TrialRecipe) -> None:
        rows = train.batches(RECALIBRATION_BATCH, recipe.calibration // 3)
        recalibrate(derived, (train.batch(batch)[0] for batch in rows))

    def outcome(self, candidate: Candidate, data: DataSplit) -> Outcome:
        """Run a candidate over a split."""
        return self.outcomes(candidate, [candidate.threshold], data)[0]

    def outcomes(self, candidate: Candidate, thresholds: Sequence[float], data: DataSplit) -> list[Outcome]:
        """Run a candidate over a split once: its outcome at each threshold, of which it has one without a gate."""
        if candidate.derived.answering is not None:
            found = self.answers(candidate, data)
            return [found.at(threshold) for threshold in thresholds]
        return [outcome(candidate.derived, self.task, data, self._link(candidate)) for _ in thresholds]

    def answers(self, candidate: Candidate, data: DataSplit) -> Answers:
        """Run a candidate with a gate over a split, every sample on every route."""
        config = candidate.derived.config
        images = self._imaged(config, data) if config.sends_images else None
        return answers(candidate.derived, self.task, data, self._link(candidate), images)

    def measured(self, candidate: Candidate, data: DataSplit) -> Measurement:
        """Measure a candidate on a split."""
        return self.measured_as(candidate, self.outcome(candidate, data))

    def measured_as(self, candidate: Candidate, outcome: Outcome) -> Measurement:
        """Measure a candidate by an outcome of its own."""
        return measure(Subject(candidate.derived, self.task, outcome), self.profile)

    def along(self, candidate: Candidate, configs: Sequence[Config]) -> dict[Config, Measured]:
        """Measure a candidate on validation at every threshold that some Configs ask for, in one pass.

        Args:
            candidate: A candidate.
            configs: Configs that differ from its own in ``offload`` alone; without a gate, its own.
        """
        validation, own = self.task.data("validation"), candidate.derived.config
        if candidate.derived.answering is None:
            return {own: Measured(candidate, self.measured(candidate, validation))}
        found = self.answers(candidate, validation)
        every = [_at(candidate, config, found.threshold(config.offload)) for config in configs]
        thresholds = [each.threshold for each in every]
        measured = measure_along(candidate.derived, self.task, found, thresholds, self.profile)
        return dict(zip(configs, map(Measured, every, measured), strict=True))

    def _link(self, candidate: Candidate) -> Link | None:
        return link_of(candidate.derived, candidate.tables, self.task.image_size)

    def _imaged(self, config: Config, data: DataSplit) -> Outcome:
        """Return what the complete cloud model answers a split's compressed images with; asked for repeatedly."""
        whole = replace(self.supernet.cloud_config(), split=0, **{name: getattr(config, name) for name in IMAGE})
        return self._images(whole, data.name)

    def _images_anew(self, whole: Config, split: SplitName) -> Outcome:
        candidate = self.candidate(whole, 0)
        return outcome(candidate.derived, self.task, self.task.data(split), self._link(candidate))
