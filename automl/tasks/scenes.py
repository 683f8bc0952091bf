"""Scenes: digits of any size, colour and slant, some overlapping, written over a crop of a photograph."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from automl.tasks.sources import Source

INK = 96
"""Opacity (0 to 255) from which a pixel counts as ink, for boxes and for overlap."""


@dataclass(frozen=True)
class SceneStyle:
    """How hard the scenes are.

    Attributes:
        size: Side of a scene in pixels.
        digits: Fewest and most digits placed in a scene.
        height: Smallest and largest height of a digit in pixels.
        slant: Largest rotation in degrees.
        contrast: Weakest and strongest difference from the background under the digit, in grey levels.
        covered: Largest share of a digit's ink that a later one may hide.
        noise: Standard deviation of the sensor noise in grey levels.
    """

    size: int = 96
    digits: tuple[int, int] = (2, 7)
    height: tuple[float, float] = (10.0, 34.0)
    slant: float = 20.0
    contrast: tuple[float, float] = (28.0, 110.0)
    covered: float = 0.25
    noise: float = 3.0


@dataclass(frozen=True)
class Scene:
    """One picture and its digits.

    Attributes:
        image: uint8 (size, size, 3).
        boxes: Exact boxes of each digit's visible ink, float32 (n, 4) xyxy.
        labels: The digits, int64 (n,).
    """

    image: np.ndarray
    boxes: np.ndarray
    labels: np.ndarray


def compose(source: Source, style: SceneStyle, rng: np.random.Generator) -> Scene:
    """Compose one scene from a split's source material."""
    canvas = photo_crop(source, style.size, rng)
    masks: list[np.ndarray] = []
    labels: list[int] = []
    for _ in range(int(rng.integers(style.digits[0], style.digits[1] + 1))):
        scan = int(rng.integers(len(source.scans)))
        opacity = _placed(source.scans[scan], style, rng)
        ink = opacity >= INK
        if not _fits(ink, masks, style.covered):
            continue
        masks = [mask & ~ink for mask in masks] + [ink]
        labels.append(int(source.labels[scan]))
        _write(canvas, opacity, ink, style, rng)
    canvas += rng.normal(0.0, style.noise, canvas.shape).astype(np.float32)
    boxes = np.array([_box(mask) for mask in masks], np.float32).reshape(-1, 4)
    return Scene(np.clip(np.round(canvas), 0, 255).astype(np.uint8), boxes, np.array(labels, np.int64))


def photo_crop(source: Source, size: int, rng: np.random.Generator) -> np.ndarray:
    """Return a square crop of a random photograph, mirrored half of the time, float32 (size, size, 3)."""
    photo = source.photos[int(rng.integers(len(source.photos)))]
    height, width, _ = photo.shape
    side = int(rng.integers(round(size * 0.75), min(height, width, round(size * 1.33)) + 1))
    top, left = int(rng.integers(height - side + 1)), int(rng.integers(width - side + 1))
    crop = photo[top : top + side, left : left + side]
    resized = Image.fromarray(crop).resize((size, size), Image.Resampling.LANCZOS)
    pixels = np.asarray(resized, np.float32)
    pixels = pixels[:, ::-1] if rng.random() < 0.5 else pixels
    return pixels * rng.uniform(0.7, 1.1) + rng.uniform(-10.0, 25.0)


def _placed(scan: np.ndarray, style: SceneStyle, rng: np.random.Generator) -> np.ndarray:
    """Return the opacity (size, size) of one scan at a random height, slant and place, wholly inside the scene."""
    low, high = np.log(style.height)
    height = float(np.exp(rng.uniform(low, high)))
    angle = np.deg2rad(rng.uniform(-style.slant, style.slant))
    squeeze = rng.uniform(0.85, 1.15)
    x, y = rng.uniform(height * 0.55, style.size - height * 0.55, 2)
    scale = scan.shape[0] / height
    cos, sin = np.cos(angle) * scale, np.sin(angle) * scale
    middle = scan.shape[0] / 2 + 2
    affine = (
        cos * squeeze,
        sin * squeeze,
        middle - (cos * x + sin * y) * squeeze,
        -sin,
        cos,
        middle + sin * x - cos * y,
    )
    padded = Image.fromarray(np.pad(scan, 2))
    drawn = padded.transform((style.size, style.size), Image.Transform.AFFINE, affine, Image.Resampling.BICUBIC)
    return np.asarray(drawn)


def _fits(ink: np.ndarray, masks: list[np.ndarray], covered: float) -> bool:
    return int(ink.sum()) >= 12 and all((mask & ink).sum() <= covered * mask.sum() for mask in masks)


def _write(
    canvas: np.ndarray, opacity: np.ndarray, ink: np.ndarray, style: SceneStyle, rng: np.random.Generator
) -> None:
    """Blend the digit into ``canvas``: its ink is the mean colour beneath it moved by a random contrast."""
    beneath = canvas[ink].mean(axis=0)
    contrast = rng.uniform(*style.contrast)
    tint = rng.normal(0.0, 1.0, 3)
    direction = np.sign(127.5 - beneath.mean() + rng.normal(0.0, 60.0)) + 0.6 * tint
    colour = np.clip(beneath + contrast * direction / np.abs(direction).mean(), 0, 255)
    alpha = (opacity / np.float32(255))[..., None]
    canvas *= 1 - alpha
    canvas += alpha * colour.astype(np.float32)


def _box(mask: np.ndarray) -> tuple[int, int, int, int]:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1
