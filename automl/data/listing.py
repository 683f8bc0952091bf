"""Listing: what a data set says of itself, before any picture is opened."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from search_spaces.task import SplitName

Box = tuple[float, float, float, float]
"""x0, y0, x1, y1 in pixels of the picture."""

SPLIT_NAMES: dict[str, SplitName] = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "eval": "validation",
    "valid": "validation",
    "validation": "validation",
    "dev": "validation",
    "test": "test",
    "testing": "test",
}
"""What data sets call their splits."""
PICTURES = frozenset((".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif", ".avif", ".ppm", ".pgm"))


@dataclass(frozen=True)
class Problem:
    """Something in a data set that cannot be used as it is.

    Attributes:
        file: Where it is.
        what: What is wrong, and what became of it.
    """

    file: Path
    what: str

    def __str__(self) -> str:
        return f"{self.file}: {self.what}"


@dataclass(frozen=True)
class Entry:
    """One picture.

    Attributes:
        picture: Its file.
        split: The split that the data set puts it in; None where it does not say.
        labels: Class indices: one a box, or of the whole picture the only one.
        boxes: None for a whole picture's label.
        source: The file that says so; problems with boxes are named after it.
        relative: The boxes are shares of the picture's width and height instead of pixels.
    """

    picture: Path
    split: SplitName | None
    labels: tuple[int, ...]
    boxes: tuple[Box, ...] | None = None
    source: Path | None = None
    relative: bool = False


@dataclass(frozen=True)
class Listing:
    """A data set as its files describe it.

    Attributes:
        form: The format's name.
        detection: Whether pictures have boxes.
        classes: Names, by index.
        entries: The pictures in a fixed order.
        problems: What could not be read.
    """

    form: str
    detection: bool
    classes: tuple[str, ...]
    entries: tuple[Entry, ...]
    problems: tuple[Problem, ...] = ()


def is_picture(path: Path) -> bool:
    """Return whether a file's name says that it is a picture; what begins with a dot is none."""
    return path.suffix.lower() in PICTURES and not path.name.startswith(".")


def pictures_in(folder: Path) -> list[Path]:
    """Return the pictures below a folder, sorted."""
    return sorted(path for path in folder.rglob("*") if is_picture(path))
