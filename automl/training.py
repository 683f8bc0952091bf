"""A training loop that a kill does not hurt: checkpoints, resumes bit for bit, reports progress."""

from __future__ import annotations

import copy
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from automl.reporter import Reporter
from deploy.atomic import atomic
from deploy.errors import UserError, first_line
from search_spaces.placement import CPU, placed, placed_targets
from search_spaces.task import DataSplit, Target, Task

REPORT_SECONDS = 0.5


class Trainee(Protocol):
    """What can be trained step by step; a step depends on the state and its number, on nothing else."""

    def step(self, index: int) -> Tensor:
        """Do step ``index`` and return its loss, a scalar; it is not read before it is said."""
        ...

    def state_dict(self) -> dict[str, Any]:
        """Return the whole state: tensors, numbers, strings, lists and dicts alone."""
        ...

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take the state that ``state_dict`` returned."""
        ...


def run_steps(
    trainee: Trainee,
    steps: int,
    checkpoint: Path,
    reporter: Reporter,
    stage_name: str,
    every_seconds: float = 20,
    save: Callable[[], None] | None = None,
) -> None:
    """Run the steps that are not done yet; law: interrupted and continued == unbroken, bit for bit.

    Args:
        trainee: What is trained, in its first state; a checkpoint's state replaces it.
        steps: The number of steps in all.
        checkpoint: Where the state is kept while the steps run; name it after all that shapes the training.
        reporter: Hears of the stage and its progress.
        stage_name: The stage's name, e.g. ``"cloud model"``.
        every_seconds: Seconds between two checkpoints.
        save: Keeps the result; called after the last step and before the checkpoint is removed, so that a
            kill between the two loses nothing.
    """
    reporter.stage(stage_name, steps)
    done = _resume(trainee, checkpoint, reporter)
    saved = said = time.monotonic()
    for index in range(done, steps):
        loss = trainee.step(index)
        now = time.monotonic()
        if now - said >= REPORT_SECONDS or index + 1 == steps:
            reporter.advance(index + 1, f"loss {float(loss):.3f}")
            said = now
        if now - saved >= every_seconds:
            _keep(trainee, index + 1, checkpoint)
            saved = time.monotonic()
    if save is not None:
        save()
    checkpoint.unlink(missing_ok=True)


def _keep(trainee: Trainee, done: int, checkpoint: Path) -> None:
    try:
        with atomic(checkpoint) as path:
            torch.save({"done": done, "trainee": trainee.state_dict()}, path)
    except RuntimeError as error:  # torch's writer reports a full disk so
        raise UserError(f"cannot write {checkpoint}: {first_line(error)}; free some space") from error


def _resume(trainee: Trainee, checkpoint: Path, reporter: Reporter) -> int:
    if not checkpoint.exists():
        return 0
    if not _whole(checkpoint):
        reporter.say(f"{checkpoint} is damaged: training starts again")
        return 0
    state = torch.load(checkpoint, weights_only=True)
    first = copy.deepcopy(trainee.state_dict())
    try:
        trainee.load_state_dict(state["trainee"])
    except (KeyError, ValueError, RuntimeError) as error:
        # What it holds is of another version, whose model or optimiser was another one; part of it may be taken.
        trainee.load_state_dict(first)
        reporter.say(f"{checkpoint} cannot be continued ({first_line(error)}): training starts again")
        return 0
    reporter.advance(state["done"], "continued")
    return int(state["done"])


def _whole(checkpoint: Path) -> bool:
    """Return whether every part of the zip archive that torch.save writes has its checksum."""
    try:
        with zipfile.ZipFile(checkpoint) as archive:
            return archive.testzip() is None
    except (zipfile.BadZipFile, EOFError):
        return False


def seeded(*parts: int) -> torch.Generator:
    """Return a generator seeded with a mix of ``parts``, e.g. a seed and a step's number."""
    state = np.random.SeedSequence(parts).generate_state(2, np.uint32)
    return torch.Generator().manual_seed(int(state[0]) << 31 | int(state[1]) >> 1)


@contextmanager
def drawing(*parts: int) -> Iterator[None]:
    """Seed what a model draws inside, as dropout does, with a mix of ``parts``; outside all stays as it was."""
    accelerators = range(torch.cuda.device_count()) if torch.cuda.is_initialized() else ()
    with torch.random.fork_rng(devices=accelerators):
        torch.manual_seed(seeded(*parts).initial_seed())
        yield


def training_batch(
    task: Task, data: DataSplit, size: int, seed: int, step: int, device: torch.device = CPU
) -> tuple[Tensor, list[Target]]:
    """Return the augmented batch of one step: every epoch shuffles anew, and a step's batch needs no history."""
    per_epoch = max(1, len(data) // size)
    order = torch.randperm(len(data), generator=seeded(seed, 0, step // per_epoch))
    start = step % per_epoch * size
    images, targets = data.batch(order[start : start + size])
    images, targets = task.augment(images, targets, seeded(seed, 1, step))
    return placed(images, device), placed_targets(targets, device)
