"""Lessons: what the cloud model says of the batches that trials learn from, kept while memory allows."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from itertools import chain
from typing import Any

import torch
from torch import Tensor

from automl.training import training_batch
from search_spaces.chain import Chain
from search_spaces.payload import tensors_of
from search_spaces.placement import device_of, exact, mixed_precision
from search_spaces.task import DataSplit, Outputs, Target, Task, model_input
from search_spaces.trace import Taps

KEPT_BYTES = 2**28
"""Memory that kept batches and answers may take; what comes after it is computed anew each time."""


@dataclass(frozen=True)
class Lesson:
    """What the cloud model says of one batch.

    Attributes:
        outputs: Its raw outputs.
        taps: Its activations, by the number of blocks that come before them.
    """

    outputs: Outputs
    taps: Taps


@torch.no_grad()
def lesson(cloud: Chain, images: Tensor, taps: Collection[int]) -> Lesson:
    """Run the cloud model over images (b, 3, H, W) and keep the activations at ``taps``."""
    value: Any = images
    kept: Taps = {}
    with mixed_precision(images.device):
        for i, block in enumerate(cloud.blocks):
            if i in taps:
                kept[i] = exact(tensors_of(value))
            value = block(value)
    return Lesson(exact(tensors_of(value)), kept)


@dataclass(frozen=True)
class TaughtBatch:
    """One step's batch and what the cloud model says of it.

    Attributes:
        pixels: The augmented images as images are, uint8 (b, 3, H, W): kept in a quarter of the memory.
        targets: What is on them.
        lesson: What the cloud model says of them.
    """

    pixels: Tensor
    targets: list[Target]
    lesson: Lesson

    @property
    def images(self) -> Tensor:
        """The model's input, float32 (b, 3, H, W) in 0..1."""
        return model_input(self.pixels)

    def part(self, rows: slice) -> TaughtBatch:
        """Return some samples of the batch."""
        outputs = tuple(output[rows] for output in self.lesson.outputs)
        taps = {i: tuple(tensor[rows] for tensor in tap) for i, tap in self.lesson.taps.items()}
        return TaughtBatch(self.pixels[rows], self.targets[rows], Lesson(outputs, taps))

    @property
    def nbytes(self) -> int:
        """Bytes of its tensors, targets aside."""
        taps = chain.from_iterable(self.lesson.taps.values())
        return sum(t.nbytes for t in (self.pixels, *self.lesson.outputs, *taps))


class Lessons:
    """The taught batches of any training, by its seed and step; the same ones are asked for model after model.

    Args:
        task: The task.
        cloud: The frozen cloud model's chain; batches lie on its device.
    """

    def __init__(self, task: Task, cloud: Chain) -> None:
        self._task, self._cloud, self._device = task, cloud, device_of(cloud)
        self._kept: dict[tuple[int, int, int], TaughtBatch] = {}

    def batch(self, data: DataSplit, size: int, seed: int, step: int, taps: Collection[int]) -> TaughtBatch:
        """Return the augmented batch of a step and the cloud model's answer with its activations at ``taps``."""
        key = (seed, size, step)
        kept = self._kept.get(key)
        if kept is not None and set(taps) <= kept.lesson.taps.keys():
            return kept
        fresh = self._taught(data, key, set(taps).union(kept.lesson.taps if kept else ()))
        self._keep(key, fresh)
        return fresh

    def _taught(self, data: DataSplit, key: tuple[int, int, int], taps: Collection[int]) -> TaughtBatch:
        seed, size, step = key
        images, targets = training_batch(self._task, data, size, seed, step, self._device)
        pixels = images.mul(255).round_().clamp_(0, 255).to(torch.uint8)
        return TaughtBatch(pixels, targets, lesson(self._cloud, model_input(pixels), taps))

    def _keep(self, key: tuple[int, int, int], taught: TaughtBatch) -> None:
        others = sum(each.nbytes for other, each in self._kept.items() if other != key)
        if others + taught.nbytes <= KEPT_BYTES:
            self._kept[key] = taught
