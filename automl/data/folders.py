"""Classification folders: one folder a class, below one folder a split or without splits."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from automl.data.listing import SPLIT_NAMES, Entry, Listing, Problem, is_picture, pictures_in
from search_spaces.task import SplitName


class FoldersFormat:
    """``train/cat/1.jpg``, or ``cat/1.jpg`` where there are no splits."""

    name = "folders"
    sign = "one folder of pictures a class, with or without train/val/test above"

    def matches(self, path: Path) -> bool:
        """Return whether there are class folders with pictures."""
        return any(_has_pictures(folder) for _, folder in _class_folders(path))

    def read(self, path: Path) -> Listing:
        """List the pictures; a class is a folder's name."""
        folders = list(_class_folders(path))
        classes = tuple(sorted({folder.name for _, folder in folders}))
        entries = [
            Entry(picture, split, (classes.index(folder.name),))
            for split, folder in folders
            for picture in pictures_in(folder)
        ]
        return Listing(self.name, False, classes, tuple(entries), tuple(_left_out(path)))


def _class_folders(path: Path) -> Iterator[tuple[SplitName | None, Path]]:
    """Return every class folder and its split."""
    if not path.is_dir():
        return
    splits = _splits(path)
    if not splits:
        yield from ((None, folder) for folder in _subfolders(path))
    for split in splits:
        yield from ((SPLIT_NAMES[split.name.lower()], folder) for folder in _subfolders(split))


def _left_out(path: Path) -> Iterator[Problem]:
    """Say what lies beside the splits and is none, and which pictures lie beside a split's classes."""
    splits = _splits(path)
    for folder in _subfolders(path) if splits else ():
        if folder not in splits:
            yield Problem(folder, "lies beside the splits and has no split's name: left out")
    for picture in (each for split in splits for each in sorted(split.iterdir()) if is_picture(each)):
        yield Problem(picture, "lies beside the class folders: left out")


def _splits(path: Path) -> list[Path]:
    named = [folder for folder in _subfolders(path) if folder.name.lower() in SPLIT_NAMES]
    return [folder for folder in named if any(map(_has_pictures, _subfolders(folder)))]


def _has_pictures(folder: Path) -> bool:
    return any(map(is_picture, folder.iterdir()))


def _subfolders(path: Path) -> list[Path]:
    return sorted(folder for folder in path.iterdir() if folder.is_dir() and not folder.name.startswith("."))
