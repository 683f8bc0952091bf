"""Small data sets on disk, in every format."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

Rows = Sequence[tuple[str, tuple[float, float, float, float]]]
"""Class name and box in pixels."""


def picture(path: Path, seed: int, size: tuple[int, int] = (40, 30)) -> Path:
    """Write a picture of its own."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), np.uint8)
    Image.fromarray(pixels).save(path)
    return path


def folders(root: Path, splits: Sequence[str] = ("train", "val", "test"), each: int = 3) -> Path:
    """Write classification folders; ``splits=("",)`` for none."""
    for i, split in enumerate(splits):
        for j, name in enumerate(("cat", "dog")):
            for k in range(each):
                picture(root / split / name / f"{k}.png", 1000 * i + 100 * j + k)
    return root


def voc(root: Path, pictures: dict[str, Rows], sets: dict[str, Sequence[str]] | None = None) -> Path:
    """Write Pascal VOC; ``pictures`` by name without ending."""
    (root / "Annotations").mkdir(parents=True)
    for seed, (stem, rows) in enumerate(pictures.items()):
        picture(root / "JPEGImages" / f"{stem}.png", seed)
        objects = "".join(
            f"<object><name>{name}</name><bndbox><xmin>{x0}</xmin><ymin>{y0}</ymin>"
            f"<xmax>{x1}</xmax><ymax>{y1}</ymax></bndbox></object>"
            for name, (x0, y0, x1, y1) in rows
        )
        (root / "Annotations" / f"{stem}.xml").write_text(f"<annotation>{objects}</annotation>")
    for name, stems in (sets or {}).items():
        (root / "ImageSets/Main").mkdir(parents=True, exist_ok=True)
        (root / "ImageSets/Main" / f"{name}.txt").write_text("\n".join(stems))
    return root


def coco(root: Path, name: str, pictures: dict[str, Rows], classes: Sequence[str], folder: str = "images") -> Path:
    """Write one COCO file below ``annotations``."""
    content: dict[str, list[dict[str, object]]] = {"images": [], "annotations": [], "categories": []}
    content["categories"] = [{"id": 10 + i, "name": each} for i, each in enumerate(classes)]
    for number, (file, rows) in enumerate(pictures.items()):
        picture(root / folder / file, number + len(name))
        content["images"].append({"id": number, "file_name": file, "width": 40, "height": 30})
        for label, (x0, y0, x1, y1) in rows:
            box = {"image_id": number, "category_id": 10 + classes.index(label), "bbox": [x0, y0, x1 - x0, y1 - y0]}
            content["annotations"].append(box)
    (root / "annotations").mkdir(parents=True, exist_ok=True)
    (root / "annotations" / f"{name}.json").write_text(json.dumps(content))
    return root


def yolo(root: Path, lines: dict[str, dict[str, str]], names: str = "[cat, dog]") -> Path:
    """Write YOLO; ``lines`` by split and file name without ending."""
    for i, (split, files) in enumerate(lines.items()):
        for j, (stem, text) in enumerate(files.items()):
            picture(root / "images" / split / f"{stem}.png", 10 * i + j)
            (root / "labels" / split).mkdir(parents=True, exist_ok=True)
            (root / "labels" / split / f"{stem}.txt").write_text(text)
    places = "".join(f"{split}: images/{split}\n" for split in lines)
    (root / "data.yaml").write_text(f"{places}names: {names}\n")
    return root
