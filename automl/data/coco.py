"""COCO: JSON files with images, annotations and categories (Lin et al. 2014, arXiv 1405.0312)."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from automl.data.listing import SPLIT_NAMES, Box, Entry, Listing, Problem
from deploy.errors import UserError
from search_spaces.task import SplitName

KEYS = ("images", "annotations", "categories")


class CocoFormat:
    """``annotations/instances_train2017.json`` and the like, ``train/_annotations.coco.json``, or one file."""

    name = "coco"
    sign = "a JSON file with images, annotations and categories"

    def matches(self, path: Path) -> bool:
        """Return whether there is such a file."""
        return bool(_read(path))

    def read(self, path: Path) -> Listing:
        """List the images; a category is a class wherever it is named alike.

        Raises:
            UserError: a file lacks what COCO's have.
        """
        files = _read(path)
        classes = tuple(dict.fromkeys(name for _, name in sorted(_categories(files))))
        entries: list[Entry] = []
        problems: list[Problem] = []
        for file, content in files:
            with _told_of(file):
                found = _File(_root(path), file, content, classes)
                entries += found.entries()
                problems += found.problems
        return Listing(self.name, True, classes, tuple(entries), tuple(problems))


class _File:
    """One JSON file and the folders that its images may lie in."""

    def __init__(self, root: Path, file: Path, content: Mapping[str, Any], classes: Sequence[str]) -> None:
        self._root, self._file, self._content = root, file, content
        self._classes = {int(c["id"]): classes.index(str(c["name"])) for c in content["categories"]}
        self._split = _split_of(root, file)
        self.problems: list[Problem] = []

    def entries(self) -> list[Entry]:
        """Return the images that have a file."""
        boxes = self._boxes()
        entries = []
        for image in self._content["images"]:
            picture = self._picture(str(image["file_name"]))
            mine = boxes.pop(image["id"], [])
            if picture is None:
                self._note(f"image {image['file_name']} is missing: dropped")
                continue
            labels = tuple(label for label, _ in mine)
            entries.append(Entry(picture, self._split, labels, tuple(box for _, box in mine), self._file))
        for image_id, orphans in boxes.items():
            self._note(f"{len(orphans)} annotations of image id {image_id}, which is not listed: dropped")
        return entries

    def _boxes(self) -> dict[Any, list[tuple[int, Box]]]:
        found: dict[Any, list[tuple[int, Box]]] = defaultdict(list)
        crowds = sum(bool(annotation.get("iscrowd")) for annotation in self._content["annotations"])
        if crowds:
            self._note(f"{crowds} annotations of crowds: dropped")
        for annotation in self._content["annotations"]:
            label = self._classes.get(annotation["category_id"])
            if label is None:
                self._note(
                    f"annotation {annotation.get('id')} has the unknown class {annotation['category_id']}: dropped"
                )
            elif not annotation.get("iscrowd"):
                x, y, width, height = map(float, annotation["bbox"])
                found[annotation["image_id"]].append((label, (x, y, x + width, y + height)))
        return found

    def _picture(self, name: str) -> Path | None:
        places = [self._file.parent, self._root, self._root / "images", self._root / "JPEGImages"]
        if self._split is not None:
            named = [folder for folder, split in SPLIT_NAMES.items() if split == self._split]
            stem = self._file.stem.removeprefix("instances_")
            places += [base / folder for folder in (stem, *named) for base in (self._root, self._root / "images")]
        return next((place / name for place in places if (place / name).is_file()), None)

    def _note(self, what: str) -> None:
        self.problems.append(Problem(self._file, what))


def _read(path: Path) -> list[tuple[Path, Mapping[str, Any]]]:
    """Return the COCO files of a data set with what they hold; beside COCO's own instances no other kind counts."""
    files = sorted(path.rglob("*.json")) if path.is_dir() else [path] if path.suffix.lower() == ".json" else []
    # Of the other files that a data set has beside it, some are called JSON.
    read = [(file, content) for file in files if _is_coco(content := _json(file, path))]
    instances = [(file, content) for file, content in read if file.name.startswith("instances")]
    return instances or read


def _categories(files: Sequence[tuple[Path, Mapping[str, Any]]]) -> set[tuple[int, str]]:
    found = set()
    for file, content in files:
        with _told_of(file):
            found |= {(int(category["id"]), str(category["name"])) for category in content["categories"]}
    return found


@contextmanager
def _told_of(file: Path) -> Iterator[None]:
    """Refuse a file that has COCO's parts, but not as COCO has them."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        wrong = f"{type(error).__name__}: {error}"
        raise UserError(f"{file} is no COCO file ({wrong}): mend or remove it") from error


def _root(path: Path) -> Path:
    """Return the folder that pictures are looked for in: of one file its own, or the one above ``annotations``."""
    if path.is_dir():
        return path
    return path.parent.parent if path.parent.name == "annotations" else path.parent


def _json(file: Path, given: Path) -> Any:
    try:
        return json.loads(file.read_bytes())
    except ValueError as error:
        if file != given and not _looks_like_coco(file):
            return None
        raise UserError(f"{file} is no JSON ({error}): mend or remove it") from error


def _looks_like_coco(file: Path) -> bool:
    """Return whether a damaged file is one that the data set cannot do without."""
    return file.parent.name == "annotations" or file.name.startswith(("instances", "_annotations"))


def _is_coco(content: Any) -> bool:
    return isinstance(content, dict) and set(KEYS) <= content.keys()


def _split_of(root: Path, file: Path) -> SplitName | None:
    """Return the split that the file's name or its folder's name tells."""
    words = file.stem.lower().replace("-", "_").rstrip("0123456789").split("_")
    folder = file.parent.name.lower() if file.parent != root else ""
    return next((SPLIT_NAMES[word] for word in (folder, *words) if word in SPLIT_NAMES), None)
