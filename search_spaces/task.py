"""The Task protocol: data, cloud model, losses and metric of one vision problem."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
import torch
from torch import Tensor, nn

SplitName = Literal["train", "validation", "test"]
Outputs = tuple[Tensor, ...]
Target = dict[str, Tensor]
"""Classification: ``{"label": ()}``. Detection: ``{"boxes": (n, 4) xyxy, "labels": (n,)}``, labels from 0."""
Prediction = dict[str, np.ndarray]
"""Classification: ``{"scores": (K,)}``. Detection: ``{"boxes": (n, 4), "scores": (n,), "labels": (n,)}``."""


def model_input(pixels: Tensor) -> Tensor:
    """Return float images in 0..1, channels-last, of pixels, uint8 (b, 3, H, W); same shape."""
    return pixels.to(memory_format=torch.channels_last).float().div_(255)


@dataclass(frozen=True)
class DataSplit:
    """One split held in memory: ``images`` is uint8 (n, 3, H, W), ``targets`` one dict a sample.

    Samples lie in an order by chance: statistics are taken of the first ones, which must not be of one class.
    """

    name: SplitName
    images: Tensor
    targets: tuple[Target, ...]

    def __len__(self) -> int:
        return len(self.targets)

    def batch(self, indices: Sequence[int] | Tensor) -> tuple[Tensor, list[Target]]:
        """Return float images in 0..1, (b, 3, H, W) channels-last, and their targets."""
        index = torch.as_tensor(indices)
        return model_input(self.images[index]), [self.targets[i] for i in index.tolist()]

    def batches(self, size: int, samples: int | None = None) -> list[range]:
        """Return the indices of the first ``samples``, of all unless given, ``size`` at a time."""
        count = len(self) if samples is None else min(samples, len(self))
        return [range(start, min(start + size, count)) for start in range(0, count, size)]


@dataclass(frozen=True)
class Recipe:
    """How a cloud model is trained from scratch: everything here shapes it and is hashed."""

    steps: int
    batch: int
    learning_rate: float
    weight_decay: float


class Task(Protocol):
    """One vision problem. All methods are deterministic given the task's seed."""

    @property
    def name(self) -> str:
        """What it is called."""
        ...

    @property
    def metric(self) -> str:
        """What quality is, e.g. ``"mAP"``."""
        ...

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes' names, by index."""
        ...

    @property
    def image_size(self) -> int:
        """Side of the model's input in pixels."""
        ...

    @property
    def recipe(self) -> Recipe:
        """How the cloud model is trained."""
        ...

    def data(self, split: SplitName) -> DataSplit:
        """Return one split; the three share no source material."""
        ...

    def fingerprint(self) -> dict[str, Any]:
        """Return everything that shapes the data and the model, as JSON, for hashing and for refusals."""
        ...

    def cloud_model(self) -> nn.Module:
        """Return the untrained cloud model: float images (b, 3, H, W) in 0..1 to a tuple of raw outputs."""
        ...

    def augment(
        self, images: Tensor, targets: list[Target], generator: torch.Generator
    ) -> tuple[Tensor, list[Target]]:
        """Return an augmented training batch; same shapes, no source of randomness but ``generator``."""
        ...

    def task_loss(self, outputs: Outputs, targets: list[Target]) -> Tensor:
        """Return the scalar loss against the ground truth."""
        ...

    def response_loss(self, outputs: Outputs, teacher: Outputs, temperature: float) -> Tensor:
        """Return the scalar distillation loss between raw outputs (Hinton et al. 2015, arXiv 1503.02531)."""
        ...

    def predict(self, outputs: Outputs) -> list[Prediction]:
        """Turn raw outputs into one prediction a sample (score threshold, NMS)."""
        ...

    def quality(self, predictions: Sequence[Prediction], targets: Sequence[Target]) -> float:
        """Return mAP or top-1 over a split, 0 to 1."""
        ...

    def bootstrap(
        self, predictions: Sequence[Prediction], targets: Sequence[Target], weights: np.ndarray
    ) -> np.ndarray:
        """Return the quality of each resample: ``weights`` (r, n) counts how often sample n is in resample r."""
        ...

    def postprocessing(self) -> dict[str, Any]:
        """Return, as JSON, what deploy needs to turn raw outputs into predictions without torch."""
        ...
