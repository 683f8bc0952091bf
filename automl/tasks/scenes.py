"""Scenes: digits of any size, colour and slant, some overlapping, written over a crop of a photograph."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image
from scipy.special import ndtri

from automl.tasks.sources import Source

INK = 96
"""Opacity (0 to 255) from which a pixel counts as ink, for boxes and for overlap."""
NORMAL = ndtri((np.arange(256) + 0.5) / 256).astype(np.float32)
"""Quantiles of the normal distribution: a random byte picks one, ten times quicker than drawing a normal number."""


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

    size: int = 80
    digits: tuple[int, int] = (2, 5)
    height: tuple[float, float] = (12.0, 36.0)
    slant: float = 20.0
    contrast: tuple[float, float] = (45.0, 120.0)
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


@dataclass(frozen=True)
class _Stroke:
    """One digit before it is written: its opacity, uint8 (h, w), and where that lies in the scene."""

    opacity: np.ndarray
    place: tuple[slice, slice]


def compose(source: Source, style: SceneStyle, rng: np.random.Generator) -> Scene:
    """Compose one scene from a split's source material."""
    canvas = photo_crop(source, style.size, rng)
    masks: list[np.ndarray] = []
    labels: list[int] = []
    for _ in range(int(rng.integers(style.digits[0], style.digits[1] + 1))):
        scan = int(rng.integers(len(source.scans)))
        stroke = _placed(source.scans[scan], style, rng)
        ink = np.zeros((style.size, style.size), bool)
        ink[stroke.place] = stroke.opacity >= INK
        if not _fits(ink, masks, style.covered):
            continue
        masks = [mask & ~ink for mask in masks] + [ink]
        labels.append(int(source.labels[scan]))
        write(canvas[stroke.place], stroke.opacity, style.contrast, rng)
    boxes = np.array([_box(mask) for mask in masks], np.float32).reshape(-1, 4)
    return Scene(developed(canvas, style.noise, rng), boxes, np.array(labels, np.int64))


def developed(canvas: np.ndarray, noise: float, rng: np.random.Generator) -> np.ndarray:
    """Return the canvas with normal sensor noise as uint8, same shape."""
    grain = (NORMAL * np.float32(noise))[rng.integers(0, len(NORMAL), canvas.shape, np.uint8)]
    grain += canvas
    pixels: np.ndarray = np.clip(np.rint(grain, out=grain), 0, 255, out=grain).astype(np.uint8)
    return pixels


def photo_crop(source: Source, size: int, rng: np.random.Generator) -> np.ndarray:
    """Return a square crop of a random photograph, mirrored half of the time, float32 (size, size, 3)."""
    photo = source.photos[int(rng.integers(len(source.photos)))]
    height, width, _ = photo.shape
    side = int(rng.integers(round(size * 0.75), min(height, width, round(size * 1.33)) + 1))
    top, left = int(rng.integers(height - side + 1)), int(rng.integers(width - side + 1))
    crop = photo[top : top + side, left : left + side]
    resized = Image.fromarray(crop).resize((size, size), Image.Resampling.BICUBIC)
    pixels = np.asarray(resized, np.float32)
    pixels = pixels[:, ::-1] if rng.random() < 0.5 else pixels
    return pixels * np.float32(rng.uniform(0.7, 1.0)) + np.float32(rng.uniform(0.0, 20.0))


def _placed(scan: np.ndarray, style: SceneStyle, rng: np.random.Generator) -> _Stroke:
    """Return one scan at a random height, slant and place, wholly inside the scene."""
    low, high = np.log(style.height)
    height = float(np.exp(rng.uniform(low, high)))
    side = int(np.ceil(height * 1.4))
    top, left = (int(at) for at in rng.integers(0, style.size - side + 1, 2))
    opacity = drawn(scan, height, float(rng.uniform(-style.slant, style.slant)), side, rng)
    return _Stroke(opacity, (slice(top, top + side), slice(left, left + side)))


def drawn(scan: np.ndarray, height: float, slant: float, side: int, rng: np.random.Generator) -> np.ndarray:
    """Return the opacity, uint8 (side, side), of a scan drawn ``height`` pixels high in the middle."""
    angle, scale = np.deg2rad(slant), scan.shape[0] / height
    squeeze = rng.uniform(0.85, 1.15)
    cos, sin = float(np.cos(angle)) * scale, float(np.sin(angle)) * scale
    inside, outside = scan.shape[0] / 2 + 2, side / 2
    across = (cos * squeeze, sin * squeeze, inside - (cos + sin) * squeeze * outside)
    down = (-sin, cos, inside + (sin - cos) * outside)
    padded = Image.fromarray(np.pad(scan, 2))
    resampled = padded.transform((side, side), Image.Transform.AFFINE, across + down, Image.Resampling.BICUBIC)
    return np.asarray(resampled)


def _fits(ink: np.ndarray, masks: list[np.ndarray], covered: float) -> bool:
    return int(ink.sum()) >= 12 and all((mask & ink).sum() <= covered * mask.sum() for mask in masks)


def write(canvas: np.ndarray, opacity: np.ndarray, contrast: tuple[float, float], rng: np.random.Generator) -> None:
    """Blend a digit into ``canvas`` (h, w, 3), in place.

    Its colour is the mean beneath its ink moved by a random contrast, mostly towards the other end of the
    grey scale.
    """
    beneath = canvas[opacity >= INK].mean(axis=0)
    direction = np.sign(127.5 - beneath.mean() + rng.normal(0.0, 30.0)) + 0.6 * rng.normal(0.0, 1.0, 3)
    moved = beneath + rng.uniform(*contrast) * direction / np.abs(direction).mean()
    alpha = (opacity / np.float32(255))[..., None]
    canvas += alpha * (np.clip(moved, 0, 255).astype(np.float32) - canvas)


def _box(mask: np.ndarray) -> tuple[int, int, int, int]:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1
