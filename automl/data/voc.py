"""Pascal VOC: one XML file a picture, splits in ImageSets (Everingham et al. 2010, IJCV 88)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from automl.data.listing import Box, Entry, Listing, Problem, pictures_in
from deploy.errors import UserError
from search_spaces.task import SplitName

ANNOTATIONS, PICTURES, SETS = "Annotations", "JPEGImages", "ImageSets/Main"
SET_FILES: tuple[tuple[str, SplitName], ...] = (("train", "train"), ("val", "validation"), ("test", "test"))
CORNERS = ("xmin", "ymin", "xmax", "ymax")


@dataclass(frozen=True)
class _Annotation:
    """One XML file."""

    file: Path
    names: tuple[str, ...]
    boxes: tuple[Box, ...]


class VocFormat:
    """``Annotations/*.xml``, ``JPEGImages/*`` and ``ImageSets/Main/train.txt`` and so on."""

    name = "voc"
    sign = "a folder Annotations with XML files"

    def matches(self, path: Path) -> bool:
        """Return whether there is a folder of XML files."""
        return _root(path) is not None

    def read(self, path: Path) -> Listing:
        """List the pictures that have an annotation; the boxes' corners are taken as they are written."""
        root = _root(path)
        if root is None:
            raise UserError(f"{path}: no folder '{ANNOTATIONS}' with XML files")
        reader = _Reader(root)
        annotations = dict(reader.annotations())
        classes = tuple(sorted({name for each in annotations.values() for name in each.names}))
        entries = list(reader.entries(annotations, classes))
        return Listing(self.name, True, classes, tuple(entries), tuple(reader.problems))


class _Reader:
    def __init__(self, root: Path) -> None:
        self._root = root
        folder = root / PICTURES
        self._pictures = {path.stem: path for path in pictures_in(folder if folder.is_dir() else root)}
        self.problems: list[Problem] = []

    def annotations(self) -> Iterator[tuple[str, _Annotation]]:
        """Return what the XML files say, by the picture's name without its ending."""
        for file in sorted((self._root / ANNOTATIONS).glob("*.xml")):
            try:
                yield file.stem, _parsed(file)
            except (ElementTree.ParseError, ValueError, TypeError, AttributeError) as error:
                self.problems.append(Problem(file, f"cannot be read ({error}): dropped"))

    def entries(self, annotations: dict[str, _Annotation], classes: tuple[str, ...]) -> Iterator[Entry]:
        """Return the pictures in the order of the splits."""
        for stem, split in self._splits(annotations):
            picture, annotation = self._pictures.get(stem), annotations.get(stem)
            if annotation is None:
                file = self._root / ANNOTATIONS / f"{stem}.xml"
                self.problems.append(Problem(file, "is missing or cannot be read: picture dropped"))
            elif picture is None:
                self.problems.append(Problem(annotation.file, "its picture is missing: dropped"))
            else:
                labels = tuple(classes.index(name) for name in annotation.names)
                yield Entry(picture, split, labels, annotation.boxes, annotation.file)

    def _splits(self, annotations: dict[str, _Annotation]) -> list[tuple[str, SplitName | None]]:
        listed: list[tuple[str, SplitName | None]] = []
        for name, split in SET_FILES:
            file = self._root / SETS / f"{name}.txt"
            if file.is_file():
                listed += [
                    (line.split()[0], split)
                    for line in file.read_text(errors="replace").splitlines()
                    if line.split()
                ]
        return listed or [(stem, None) for stem in annotations]


def _parsed(file: Path) -> _Annotation:
    names, boxes = [], []
    for found in ElementTree.parse(file).getroot().iter("object"):
        corners = [float(found.findtext(f"bndbox/{corner}", "")) for corner in CORNERS]
        names.append(found.findtext("name", "").strip())
        boxes.append((corners[0], corners[1], corners[2], corners[3]))
    return _Annotation(file, tuple(names), tuple(boxes))


def _root(path: Path) -> Path | None:
    """Return the folder that holds the annotations: the one given, or the only one in it, as archives unpack."""
    places = [path, *sorted(each for each in path.glob("*") if each.is_dir())] if path.is_dir() else []
    return next((place for place in places if any((place / ANNOTATIONS).glob("*.xml"))), None)
