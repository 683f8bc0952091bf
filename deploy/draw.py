"""Draws a prediction onto the picture it was made of."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from deploy.errors import UserError
from deploy.postprocess import Prediction

COLOURS = (
    "#e6194b",
    "#3cb44b",
    "#4363d8",
    "#f58231",
    "#911eb4",
    "#008080",
    "#9a6324",
    "#800000",
    "#808000",
    "#000075",
)


def draw(picture: Image.Image, prediction: Prediction, classes: Sequence[str]) -> Image.Image:
    """Return a copy of the picture with boxes and their classes and scores, or with the best class.

    Args:
        picture: RGB, upright.
        prediction: Boxes (n, 4) xyxy in the picture's pixels with scores and labels; or class scores (K,).
        classes: Names of the labels.
    """
    drawn = picture.copy()
    pen = ImageDraw.Draw(drawn)
    size = max(10, min(picture.size) // 24)
    if "boxes" not in prediction:
        best = int(np.argmax(prediction["scores"]))
        _caption(
            pen, (0, 0), f"{classes[best]} {prediction['scores'][best]:.2f}", COLOURS[best % len(COLOURS)], size
        )
        return drawn
    for box, score, label in zip(prediction["boxes"], prediction["scores"], prediction["labels"], strict=True):
        colour = COLOURS[int(label) % len(COLOURS)]
        left, top, right, bottom = (float(side) for side in box)
        pen.rectangle((left, top, right, bottom), outline=colour, width=max(1, size // 8))
        _caption(pen, (left, max(0.0, top - size)), f"{classes[int(label)]} {score:.2f}", colour, size)
    return drawn


def save_picture(picture: Image.Image, path: Path) -> None:
    """Write a picture in the format that the path's ending names.

    Raises:
        UserError: unknown ending, or the file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        picture.save(path)
    except ValueError:
        raise UserError(f"'{path}' ends like no picture format; end it with .png or .jpg") from None
    except OSError as error:
        raise UserError(f"cannot write '{path}': {error.strerror or error}") from None


def _caption(pen: ImageDraw.ImageDraw, corner: tuple[float, float], text: str, colour: str, size: int) -> None:
    font = ImageFont.load_default(size)
    pen.rectangle(pen.textbbox(corner, text, font=font), fill=colour)
    pen.text(corner, text, fill="white", font=font)
