"""Crops: one digit in the middle of a piece of photograph, others half in the way."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from automl.tasks.scenes import developed, drawn, photo_crop, write
from automl.tasks.sources import Source


@dataclass(frozen=True)
class CropStyle:
    """How hard the crops are.

    Attributes:
        size: Side of a crop in pixels.
        height: Smallest and largest height of the digit in pixels.
        slant: Largest rotation in degrees.
        contrast: Weakest and strongest difference from the background under the digit, in grey levels.
        others: Most other digits beneath the one that counts.
        noise: Standard deviation of the sensor noise in grey levels.
    """

    size: int = 48
    height: tuple[float, float] = (16.0, 36.0)
    slant: float = 25.0
    contrast: tuple[float, float] = (45.0, 115.0)
    others: int = 1
    noise: float = 3.0


def compose_crop(source: Source, style: CropStyle, rng: np.random.Generator) -> tuple[np.ndarray, int]:
    """Compose one crop, uint8 (size, size, 3), and its label from a split's source material."""
    canvas = photo_crop(source, style.size, rng)
    for _ in range(int(rng.integers(style.others + 1))):
        _draw(canvas, source, style, style.size // 2, rng)
    label = _draw(canvas, source, style, style.size // 16, rng)
    return developed(canvas, style.noise, rng), label


def _draw(canvas: np.ndarray, source: Source, style: CropStyle, reach: int, rng: np.random.Generator) -> int:
    """Write a random digit up to ``reach`` pixels off the middle, cut by the crop's edges; return its label."""
    scan = int(rng.integers(len(source.scans)))
    height, slant = rng.uniform(*style.height), rng.uniform(-style.slant, style.slant)
    opacity = drawn(source.scans[scan], height, slant, style.size, rng)
    down, across = (int(move) for move in rng.integers(-reach, reach + 1, 2))
    moved = _moved(_moved(opacity, down, 0), across, 1)
    write(canvas, moved, style.contrast, rng)
    return int(source.labels[scan])


def _moved(opacity: np.ndarray, by: int, axis: int) -> np.ndarray:
    rolled = np.roll(opacity, by, axis)
    emptied = np.moveaxis(rolled, axis, 0)
    emptied[slice(None, by) if by >= 0 else slice(by, None)] = 0
    return rolled
