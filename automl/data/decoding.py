"""Decoding: one picture's pixels at the model's size, its boxes in them, and what is wrong with either."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass

import numpy as np

from automl.data.listing import Box, Entry, Problem
from deploy.errors import UserError
from deploy.preprocess import model_input, open_picture

SMALLEST = 1.0
"""Pixels of the picture that a box must have each way."""
SLACK = 1.0
"""Pixels by which a box may reach outside without a word: tools round differently."""


@dataclass(frozen=True)
class Decoded:
    """A picture that can be used.

    Attributes:
        pixels: uint8 (S, S, 3).
        digest: sha256 of the file: equal files are the same picture.
        labels: Class indices.
        boxes: float32 (n, 4) xyxy in pixels of ``pixels``; None for a whole picture's label.
        problems: What was dropped or changed.
    """

    pixels: np.ndarray
    digest: str
    labels: tuple[int, ...]
    boxes: np.ndarray | None
    problems: tuple[Problem, ...]


def decoded(entry: Entry, side: int) -> Decoded | Problem:
    """Read a picture, or return why it cannot be used; it is stretched to a square of ``side`` pixels."""
    try:
        picture = open_picture(entry.picture)
    except UserError as error:
        return Problem(entry.picture, f"{error}: dropped")
    digest = hashlib.sha256(entry.picture.read_bytes()).hexdigest()
    pixels = model_input(picture, (side, side))
    if entry.boxes is None:
        return Decoded(pixels, digest, entry.labels, None, ())
    labels, boxes, problems = _usable(entry, picture.size)
    scale = np.array([side / length for length in picture.size * 2], np.float32)
    scaled = np.array(boxes, np.float32).reshape(-1, 4) * scale
    return Decoded(pixels, digest, tuple(labels), scaled, tuple(problems))


def _usable(entry: Entry, size: tuple[int, int]) -> tuple[list[int], list[Box], list[Problem]]:
    """Return the labels and boxes that lie inside, in pixels of the picture, and what became of the others."""
    labels: list[int] = []
    boxes: list[Box] = []
    problems: list[Problem] = []
    for number, (label, given) in enumerate(zip(entry.labels, entry.boxes or (), strict=True), 1):
        box = _in_pixels(given, size) if entry.relative else given
        clipped = _clipped(box, size)
        wrong = _wrong(box, clipped, size)
        if wrong:
            problems.append(Problem(entry.source or entry.picture, f"box {number} of {entry.picture.name} {wrong}"))
        if not _too_small(clipped):
            labels.append(label)
            boxes.append(clipped)
    return labels, boxes, problems


def _wrong(box: Box, clipped: Box, size: tuple[int, int]) -> str:
    shown = ", ".join(f"{corner:g}" for corner in box)
    if not all(map(math.isfinite, box)) or _too_small(box):
        return f"is degenerate ({shown}): dropped"
    if _too_small(clipped):
        return f"is outside of {size[0]} x {size[1]} pixels ({shown}): dropped"
    if max(abs(a - b) for a, b in zip(box, clipped, strict=True)) > SLACK:
        return f"reaches outside of {size[0]} x {size[1]} pixels ({shown}): clipped"
    return ""


def _too_small(box: Box) -> bool:
    # Written so that a box with a number that is none is too small.
    return not (box[2] - box[0] >= SMALLEST and box[3] - box[1] >= SMALLEST)


def _clipped(box: Box, size: tuple[int, int]) -> Box:
    width, height = size
    x0, y0, x1, y1 = box
    return min(max(x0, 0), width), min(max(y0, 0), height), min(max(x1, 0), width), min(max(y1, 0), height)


def _in_pixels(box: Box, size: tuple[int, int]) -> Box:
    width, height = size
    return box[0] * width, box[1] * height, box[2] * width, box[3] * height
