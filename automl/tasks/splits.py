"""Splits in memory: scenes or crops stacked into a DataSplit, and their hash."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from search_spaces.task import DataSplit, SplitName, Target


@dataclass(frozen=True)
class Counts:
    """Number of samples in each split."""

    train: int
    validation: int
    test: int


def stacked(name: SplitName, images: Sequence[np.ndarray], targets: Sequence[Target]) -> DataSplit:
    """Return the split of images, each uint8 (H, W, 3), and their targets."""
    pixels = np.ascontiguousarray(np.stack(images).transpose(0, 3, 1, 2))
    return DataSplit(name, torch.from_numpy(pixels), tuple(targets))


def digest(split: DataSplit) -> str:
    """Return the sha256 of a split's pixels and targets."""
    content = hashlib.sha256(split.images.numpy().tobytes())
    for target in split.targets:
        for key in sorted(target):
            content.update(f"{key}{tuple(target[key].shape)}".encode() + target[key].numpy().tobytes())
    return content.hexdigest()
