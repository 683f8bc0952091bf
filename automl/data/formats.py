"""Formats: which one a data set is in."""

from __future__ import annotations

from importlib.metadata import entry_points
from pathlib import Path
from typing import Protocol

from automl.data.coco import CocoFormat
from automl.data.folders import FoldersFormat
from automl.data.listing import Listing
from automl.data.voc import VocFormat
from automl.data.yolo import YoloFormat
from deploy.errors import UserError, unknown

ENTRY_POINTS = "eccsearch.formats"


class Format(Protocol):
    """One way to lay out a data set.

    Attributes:
        name: What ``--format`` calls it.
        sign: What is looked for, in words.
    """

    name: str
    sign: str

    def matches(self, path: Path) -> bool:
        """Return whether a path looks like it."""
        ...

    def read(self, path: Path) -> Listing:
        """List what is there; opens no picture's pixels."""
        ...


def formats() -> tuple[Format, ...]:
    """Return the built-in formats, the surest sign first, and those that installed packages plug in."""
    plugged = [point.load()() for point in entry_points(group=ENTRY_POINTS)]
    return (YoloFormat(), VocFormat(), CocoFormat(), FoldersFormat(), *plugged)


def listed(path: Path, name: str | None = None) -> Listing:
    """List a data set.

    Args:
        path: A folder, or the one file that describes it.
        name: The format; recognised unless given.

    Raises:
        UserError: no such path or format, or none is recognised, or it lists no picture.
    """
    if not path.exists():
        raise UserError(f"--data {path}: there is nothing")
    listing = _format(path, name).read(path)
    if not listing.entries:
        first = f" (first problem: {listing.problems[0]})" if listing.problems else ""
        raise UserError(f"--data {path}: no picture that can be used was found as {listing.form}{first}")
    return listing


def _format(path: Path, name: str | None) -> Format:
    every = {form.name: form for form in formats()}
    if name is not None:
        if name not in every:
            raise unknown("format", name, every)
        return every[name]
    found = next((form for form in every.values() if form.matches(path)), None)
    if found is None:
        signs = "; ".join(f"{form.name}: {form.sign}" for form in every.values())
        raise UserError(f"--data {path}: no known format ({signs}); name it with --format")
    return found
