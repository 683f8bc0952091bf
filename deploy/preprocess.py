"""Pictures of any kind to the model's input, and boxes back to the picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from deploy.errors import UserError, first_line
from deploy.unreadable import UNREADABLE

PREPROCESSING = {
    "colours": "RGB",
    "transparency": "on white",
    "orientation": "EXIF",
    "resize": "stretched, bilinear with antialiasing",
    "range": [0.0, 1.0],
}
"""What ``open_picture`` and ``model_input`` do, for the manifest."""

_DEEP = ("I", "F")


def open_picture(path: Path) -> Image.Image:
    """Read a picture as 8-bit RGB, upright as its EXIF data says; of an animation the first frame.

    Raises:
        UserError: missing, or nothing that Pillow can read.
    """
    try:
        with Image.open(path) as file:
            return _rgb(ImageOps.exif_transpose(file))
    except FileNotFoundError:
        raise UserError(f"there is no picture '{path}'") from None
    except UNREADABLE as error:
        # Pillow names the file as well.
        reason = first_line(error).replace(f" {str(path)!r}", "").rstrip(":")
        raise UserError(f"cannot read the picture '{path}': {reason}") from None


def model_input(picture: Image.Image, size: tuple[int, int]) -> np.ndarray:
    """Return the uint8 image (H, W, 3) that a model of input size (H, W) reads."""
    height, width = size
    if picture.size != (width, height):
        picture = picture.resize((width, height), Image.Resampling.BILINEAR)
    return np.array(picture)


def to_picture(boxes: np.ndarray, size: tuple[int, int], picture: tuple[int, int]) -> np.ndarray:
    """Map boxes (n, 4) xyxy from the model's input to the picture's pixels.

    Args:
        boxes: In pixels of the model's input.
        size: The input's (H, W).
        picture: The picture's (width, height), as Pillow gives it.
    """
    x, y = picture[0] / size[1], picture[1] / size[0]
    return boxes * np.array([x, y, x, y], dtype=np.float32)


def _rgb(picture: Image.Image) -> Image.Image:
    if picture.mode.startswith(_DEEP):
        picture = _eight_bits(picture)
    if "A" in picture.getbands() or "transparency" in picture.info:
        seen = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", seen.size, "white"), seen)
    return picture.convert("RGB")


def _eight_bits(picture: Image.Image) -> Image.Image:
    values = np.asarray(picture, dtype=np.float64)
    brightest = values.max(initial=0.0)
    # Deep pictures do not say their range: 1 for floats, 8 or 16 bits for integers.
    top = 1.0 if picture.mode == "F" and brightest <= 1 else 255.0 if brightest <= 255 else 65535.0
    if picture.mode.startswith("I;16"):
        top = 65535.0
    return Image.fromarray(np.clip(np.rint(values * (255 / top)), 0, 255).astype(np.uint8))
