"""The contact sheet: samples of every split of a task with their boxes and labels, as one picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from deploy.atomic import atomic
from search_spaces.task import DataSplit, Target

COLUMNS = 8
CELL = 192
GAP = 10
MARGIN = 24
PAPER, INK, FAINT = "#ffffff", "#1a1a1a", "#6b6b6b"
COLOURS = (
    ("#4cc9f0", "#ffd166", "#ef476f", "#06d6a0", "#ff9f1c", "#b388ff", "#80ed99", "#f8f9fa", "#ff70a6", "#a0c4ff")
)  # fmt: skip
"""Light colours, one a class, that stand out from photographs; text on them is dark."""


def contact_sheet(
    splits: Sequence[DataSplit], classes: Sequence[str], title: str, rows: Sequence[int] = (2, 1, 1)
) -> Image.Image:
    """Draw the first samples of each split under a heading of its own.

    Args:
        splits: The splits, each images uint8 (n, 3, H, W) and targets.
        classes: The classes' names.
        title: One line above all.
        rows: Rows of samples drawn for each split.
    """
    width = 2 * MARGIN + COLUMNS * (CELL + GAP) - GAP
    bands = [_band(split, classes, count, width) for split, count in zip(splits, rows, strict=True)]
    sheet = Image.new("RGB", (width, 70 + sum(band.height for band in bands) + MARGIN), PAPER)
    ImageDraw.Draw(sheet).text((MARGIN, 24), title, INK, _font(26))
    top = 70
    for band in bands:
        sheet.paste(band, (0, top))
        top += band.height
    return sheet


def write_contact_sheet(sheet: Image.Image, path: Path) -> None:
    """Write the sheet as PNG."""
    with atomic(path) as temporary:
        sheet.save(temporary, format="PNG", optimize=True)


def _band(split: DataSplit, classes: Sequence[str], rows: int, width: int) -> Image.Image:
    shown = min(len(split), rows * COLUMNS)
    lines = -(-shown // COLUMNS)
    band = Image.new("RGB", (width, 38 + lines * (CELL + GAP)), PAPER)
    ImageDraw.Draw(band).text((MARGIN, 8), _heading(split, shown), FAINT, _font(18))
    pixels = split.images[:shown].permute(0, 2, 3, 1).numpy()
    for at in range(shown):
        place = (MARGIN + at % COLUMNS * (CELL + GAP), 38 + at // COLUMNS * (CELL + GAP))
        band.paste(_sample(pixels[at], split.targets[at], classes), place)
    return band


def _heading(split: DataSplit, shown: int) -> str:
    return f"{split.name}: {shown} of {len(split)}"


def _sample(pixels: np.ndarray, target: Target, classes: Sequence[str]) -> Image.Image:
    picture = Image.fromarray(pixels).resize((CELL, CELL), Image.Resampling.NEAREST)
    draw = ImageDraw.Draw(picture)
    if "label" in target:
        _tag(draw, (0, 0), int(target["label"]), classes)
        return picture
    scale = CELL / pixels.shape[0]
    for box, label in zip(target["boxes"].tolist(), target["labels"].tolist(), strict=True):
        corners = [round(value * scale) for value in box]
        draw.rectangle([corners[0], corners[1], corners[2] - 1, corners[3] - 1], outline=_colour(label))
        _tag(draw, (corners[0], corners[1]), label, classes)
    return picture


def _tag(draw: ImageDraw.ImageDraw, corner: tuple[int, int], label: int, classes: Sequence[str]) -> None:
    """Write a class's name on a small patch of its colour, above the corner where there is room."""
    font = _font(14)
    left, top, right, bottom = draw.textbbox((0, 0), classes[label], font)
    width, height = round(right - left) + 6, round(bottom - top) + 6
    x, y = corner[0], max(0, corner[1] - height)
    draw.rectangle([x, y, x + width - 1, y + height - 1], fill=_colour(label))
    draw.text((x + 3 - left, y + 3 - top), classes[label], INK, font)


def _colour(label: int) -> str:
    return COLOURS[label % len(COLOURS)]


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)
