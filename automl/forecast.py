"""Forecast: how long a run will take, from one measured training step and one measured pass."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import torch

from automl.ahead import Ahead
from automl.blueprint import Blueprint
from automl.board import can_share
from automl.cloud_training import CloudTraining, batch_samples, cloud_model_file
from automl.finalists import chosen
from automl.shards import shard_count
from automl.taught import supernet_file
from automl.trial import TrialRecipe, gate_samples
from results.naming import duration
from results.plain_answers import cloud_model, is_image
from results.record import RunInfo, TrialRecord
from search_spaces.placement import CPU, on_cpu

TAUGHT_PASS = 1.05
"""A distillation step runs the teacher too, where its answers are not in memory yet."""
TEACHING_PASSES = 1.0
"""What largest, smallest and teacher cost beside the random ones, in cloud model's steps, whose norms wait."""
TRIAL_OVERHEAD = 0.6
"""Seconds of a trial that no step and no pass takes: counting FLOPs, metric, codec, deriving."""
GATE_PASSES = 1.25
"""What a gate's training samples and its pass over validation cost, in passes over the former."""
GATE_OVERHEAD = 1.5
"""Seconds of a gate that no pass takes: harms and the metric at every share."""
HEADS = 0.6
"""What exit heads add to a step of the supernet, in cloud model's steps."""
ANCHOR_OVERHEAD = 1.7
"""Seconds of a plain answer that no pass takes: image codecs, AVIF's above all."""
FINALIST_OVERHEAD = 4.0
"""Seconds of a finalist's export and bootstrap."""
BATCH_POWER = 0.75
"""A step takes about this power of its batch's size."""
JOINT_OVERHEAD = 1.2
"""What a step of processes side by side takes more than its shards: they wait for one another and share memory."""
RIVALS = 4
"""About how many of each plain answer are measured on test."""


@dataclass(frozen=True)
class Forecast:
    """Seconds of every stage of a run, on so many cores."""

    cores: int
    cloud: float
    supernet: float
    anchors: float
    trials: float
    finalists: float

    @property
    def total(self) -> float:
        """Seconds in all."""
        return self.cloud + self.supernet + self.anchors + self.trials + self.finalists

    def within(self, timeout: float | None) -> Forecast:
        """Return the forecast where a timeout cuts off anchors and trials; nothing else knows of it."""
        if timeout is None:
            return self
        anchors = min(self.anchors, timeout)
        return replace(self, anchors=anchors, trials=min(self.trials, timeout - anchors))

    def __str__(self) -> str:
        parts = {
            "cloud model": self.cloud,
            "supernet": self.supernet,
            "plain answers": self.anchors,
            "trials": self.trials,
            "finalists": self.finalists,
        }
        listed = ", ".join(f"{name} {duration(seconds)}" for name, seconds in parts.items() if seconds)
        cores = "one core" if self.cores == 1 else f"{self.cores} cores"
        return f"About {duration(self.total)} on {cores}: {listed or 'nothing to do'}."


@dataclass(frozen=True)
class Left:
    """How much of a run is left to do.

    Attributes:
        anchors: Plain answers to measure before the search.
        trials: Search trials.
        refined: Finalists to refine and test: split members and edge-only configurations.
        tested: Finalists to test as they are: images and the cloud model.
    """

    anchors: int
    trials: int
    refined: int
    tested: int

    @property
    def measurements(self) -> int:
        """How many there are in all; as many processes find something to do."""
        return self.anchors + self.trials + self.refined + self.tested


def left_of(plan: Blueprint, records: Sequence[TrialRecord], info: RunInfo) -> Left:
    """Return what is left of a run with these measured trials; of finalists yet to be found, about as many."""
    measured = {record.config for record in records}
    anchors = sum(plan.space.canonical(config) not in measured for config in plan.anchors())
    trials = max(0, plan.settings.budget - sum(record.kind == "search" for record in records))
    count = plan.settings.effort.finalists
    if not count:
        return Left(anchors, trials, 0, 0)
    whole = cloud_model(records, info)
    members = chosen(records, info, count)
    tested = [m.finalist is None for m in members if is_image(m) or m is whole]
    trained = [m for m in members if not (is_image(m) or m is whole)]
    waiting = {m.config.curve for m in trained if m.finalist is None}
    refined = [curve in waiting for curve in {m.config.curve for m in trained}]
    if not anchors and not trials:
        return Left(anchors, trials, sum(refined), sum(tested))
    return Left(
        anchors,
        trials,
        max(0, count + RIVALS - refined.count(False)),
        max(0, 1 + RIVALS - tested.count(False)),
    )


def forecast(plan: Blueprint, left: Left) -> Forecast:
    """Measure this machine for a second or two and predict what is left of a run."""
    effort, settings = plan.settings.effort, plan.settings
    with _threads(settings.threads):
        step, sample = step_seconds(plan, settings.threads), pass_seconds(plan)
    taught = min(plan.teaching.batch, len(plan.task.data("train")))
    cloud, supernet = (joint_seconds(plan, step, size) for size in (batch_samples(plan.task), taught))
    validation, test = len(plan.task.data("validation")), len(plan.task.data("test"))
    cloud_cached = cloud_model_file(plan.task, settings.folder.cache, settings.cores, plan.device).exists()
    taught_cached = supernet_file(plan).exists()
    measuring = sample * (validation + plan.distilling.calibration) + TRIAL_OVERHEAD + _gate_seconds(plan, sample)
    distilling, refining = (training_seconds(plan, each, step) for each in (plan.distilling, plan.refining))
    finalist = refining * TAUGHT_PASS + measuring + FINALIST_OVERHEAD + sample * test
    # Processes that share one device wait for one another.
    workers = settings.workers if plan.device == CPU else 1
    unhurried = Forecast(
        cores=settings.cores,
        cloud=0.0 if cloud_cached else plan.task.recipe.steps * cloud,
        supernet=0.0 if taught_cached else effort.teach_steps * supernet * _teaching_passes(plan),
        anchors=left.anchors * (sample * validation + ANCHOR_OVERHEAD) / settings.workers,
        trials=left.trials * (distilling + measuring) / workers,
        finalists=(left.refined * finalist + left.tested * (sample * test + TRIAL_OVERHEAD)) / workers,
    )
    return unhurried.within(settings.timeout)


def training_seconds(plan: Blueprint, recipe: TrialRecipe, step: float) -> float:
    """Return the seconds of a sub-model's training, whose batches may be of another size than the cloud model's."""
    return recipe.steps * step * _larger(plan, recipe.batch)


def _larger(plan: Blueprint, samples: int) -> float:
    """Return how much longer a step takes than one on the cloud model's batch."""
    return float((samples / batch_samples(plan.task)) ** BATCH_POWER)


def _teaching_passes(plan: Blueprint) -> float:
    """Return what a step of the supernet costs, in cloud model's steps."""
    return plan.teaching.random + TEACHING_PASSES + (HEADS if plan.exits else 0.0)


def _gate_seconds(plan: Blueprint, sample: float) -> float:
    """Return what gates add to a trial, where about every second one has one."""
    if not plan.exits:
        return 0.0
    samples = gate_samples(plan.distilling, len(plan.task.data("train")))
    return 0.5 * (sample * GATE_PASSES * samples + GATE_OVERHEAD)


@contextmanager
def _threads(count: int) -> Iterator[None]:
    """Let torch have so many threads, then as many as before."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def joint_seconds(plan: Blueprint, alone: float, samples: int) -> float:
    """Return the seconds of a training step of the cloud model that all cores do.

    Args:
        plan: The run.
        alone: What one of the run's processes takes for a step on the cloud model's batch.
        samples: The batch's.
    """
    larger, settings = _larger(plan, samples), plan.settings
    if plan.device != CPU:
        return alone * larger
    shards = shard_count(plan.task.cloud_model(), samples, settings.cores)
    if can_share() and 1 < shards <= settings.workers:
        return alone * larger / shards * JOINT_OVERHEAD
    with _threads(settings.cores):
        return step_seconds(plan, settings.cores) * larger


def step_seconds(plan: Blueprint, threads: int) -> float:
    """Return the seconds of a training step of the cloud model, its batch and its optimiser included."""
    model = plan.task.cloud_model().to(memory_format=torch.channels_last).to(plan.device)
    training = CloudTraining(plan.task, model, threads)
    # Beside other processes no core is free to draw ahead.
    training.batches = Ahead(training.batches.draw, 0)
    seconds = []
    for index in range(4):
        began = time.perf_counter()
        # A device goes on by itself until it is asked.
        float(training.step(index))
        seconds.append(time.perf_counter() - began)
    return min(seconds)


def pass_seconds(plan: Blueprint) -> float:
    """Return the seconds that the cloud model takes for one sample."""
    model = plan.task.cloud_model().eval().to(plan.device)
    images, _ = plan.task.data("validation").batch(range(min(32, len(plan.task.data("validation")))))
    with torch.no_grad():
        on_cpu(model(images.to(plan.device)))
        began = time.perf_counter()
        plan.task.predict(on_cpu(model(images.to(plan.device))))
    return (time.perf_counter() - began) / len(images)
