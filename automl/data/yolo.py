"""YOLO: a data.yaml with names and splits, and one text file of normalised boxes a picture."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from automl.data.listing import Box, Entry, Listing, Problem, is_picture, pictures_in
from deploy.errors import UserError
from search_spaces.task import SplitName

KEYS: tuple[tuple[str, SplitName], ...] = (("train", "train"), ("val", "validation"), ("test", "test"))
FEWEST_NUMBERS = 4


class YoloFormat:
    """``data.yaml``, ``images/train/*.jpg`` and ``labels/train/*.txt``."""

    name = "yolo"
    sign = "a data.yaml with names"

    def matches(self, path: Path) -> bool:
        """Return whether there is a YAML file that names classes."""
        return _description(path) is not None

    def read(self, path: Path) -> Listing:
        """List the pictures of the splits; one without a text file shows nothing.

        Raises:
            UserError: the description names no split, or one that is not there.
        """
        found = _description(path)
        if found is None:
            raise UserError(f"{path}: no YAML file that has 'names'")
        file, content = found
        classes, points = _classes(file, content["names"]), "kpt_shape" in content
        problems: list[Problem] = []
        entries = [
            _entry(picture, split, len(classes), points, problems)
            for split, places in _splits(file, content)
            for place in places
            for picture in _pictures(place)
        ]
        return Listing(self.name, True, classes, tuple(entries), tuple(problems))


def _classes(file: Path, names: Any) -> tuple[str, ...]:
    """Return the names by index, whether they are listed or numbered."""
    if not isinstance(names, dict):
        return tuple(map(str, names))
    if sorted(names) != list(range(len(names))):
        raise UserError(f"{file}: names must be numbered from 0 without a gap")
    return tuple(str(names[index]) for index in range(len(names)))


def _description(path: Path) -> tuple[Path, Mapping[str, Any]] | None:
    files = [path] if path.is_file() else [*sorted(path.glob("*.yaml")), *sorted(path.glob("*.yml"))]
    for file in files:
        if file.suffix.lower() not in (".yaml", ".yml"):
            continue
        try:
            content = yaml.safe_load(file.read_text())
        except (yaml.YAMLError, ValueError) as error:
            raise UserError(f"{file} is no YAML ({' '.join(str(error).split())}): mend or remove it") from error
        if isinstance(content, dict) and isinstance(content.get("names"), list | dict):
            return file, content
    return None


def _splits(file: Path, content: Mapping[str, Any]) -> Iterator[tuple[SplitName, list[Path]]]:
    """Return the splits and where their pictures are."""
    base = file.parent / str(content.get("path") or "")
    if not any(content.get(key) for key, _ in KEYS):
        raise UserError(f"{file} names no split: add train: and val: with folders of pictures")
    for key, split in KEYS:
        places = content.get(key)
        if places:
            listed = places if isinstance(places, list) else [places]
            yield split, [_place(file, base, str(place)) for place in listed]


def _place(file: Path, base: Path, place: str) -> Path:
    # What exporters write as ../train/images is often beside the file.
    for candidate in (base / place, file.parent / place, file.parent / place.removeprefix("../")):
        if candidate.exists():
            return candidate
    raise UserError(f"{file}: '{place}' is not there; mend the path in that file")


def _pictures(place: Path) -> list[Path]:
    if place.is_dir():
        return pictures_in(place)
    lines = [line.strip() for line in place.read_text().splitlines()]
    return [path for line in lines if is_picture(path := place.parent / line)]


def _entry(picture: Path, split: SplitName, classes: int, points: bool, problems: list[Problem]) -> Entry:
    file = _label_file(picture)
    labels: list[int] = []
    boxes: list[Box] = []
    lines = file.read_text(errors="replace").splitlines() if file.is_file() else []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            label, box = _parsed(line, points)
        except (ValueError, OverflowError):
            problems.append(Problem(file, f"line {number} is no 'class x y width height': dropped"))
            continue
        if not 0 <= label < classes:
            problems.append(Problem(file, f"line {number} has the unknown class {label}: dropped"))
            continue
        labels.append(label)
        boxes.append(box)
    return Entry(picture, split, tuple(labels), tuple(boxes), file, relative=True)


def _parsed(line: str, points: bool) -> tuple[int, Box]:
    """Return class and box of one line: of an outline the box round it; ``points`` after a box are left out."""
    first, *rest = line.split()
    numbers = [float(number) for number in rest]
    if len(numbers) < FEWEST_NUMBERS or int(float(first)) != float(first):
        raise ValueError(line)
    outline = len(numbers) > FEWEST_NUMBERS + 1 and not points
    return int(float(first)), _around(numbers) if outline else _centred(numbers)


def _centred(numbers: Sequence[float]) -> Box:
    x, y, width, height = numbers[:FEWEST_NUMBERS]
    return x - width / 2, y - height / 2, x + width / 2, y + height / 2


def _around(numbers: Sequence[float]) -> Box:
    across, down = numbers[0::2], numbers[1::2]
    return min(across), min(down), max(across), max(down)


def _label_file(picture: Path) -> Path:
    """Return ``labels/a/1.txt`` for ``images/a/1.jpg``; the last folder called images counts."""
    parts = list(picture.parts)
    for index in range(len(parts) - 2, -1, -1):
        if parts[index] == "images":
            parts[index] = "labels"
            break
    return Path(*parts).with_suffix(".txt")
