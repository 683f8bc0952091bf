"""Pictures of every kind become the model's pixels; boxes follow, or it is said why not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from made_data import picture
from PIL import Image

from automl.data.decoding import Decoded, decoded
from automl.data.listing import Box, Entry, Problem


def boxed(path: Path, *boxes: Box, relative: bool = False) -> Decoded:
    found = decoded(Entry(path, None, (0,) * len(boxes), boxes, path.with_suffix(".txt"), relative), 80)
    assert isinstance(found, Decoded) and found.boxes is not None
    return found


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "F"])
def test_pictures_of_every_kind_become_8_bit_rgb(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "mit Leerzeichen und Größe.tiff"
    Image.new("L", (40, 30), 128).convert(mode if mode != "I;16" else "I").convert(mode).save(path)
    found = decoded(Entry(path, None, (0,)), 16)
    assert isinstance(found, Decoded)
    assert found.pixels.shape == (16, 16, 3) and found.pixels.dtype == np.uint8


@pytest.mark.parametrize("keep", [0, 1, 200])
def test_a_picture_that_is_not_whole_is_a_problem(tmp_path: Path, keep: int) -> None:
    path = picture(tmp_path / "a.jpg", 0)
    path.write_bytes(path.read_bytes()[:keep])
    found = decoded(Entry(path, None, (0,)), 16)
    assert isinstance(found, Problem) and found.file == path and found.what.endswith("dropped")


def test_boxes_are_in_the_pixels_of_the_models_input(tmp_path: Path) -> None:
    path = picture(tmp_path / "a.png", 0)
    expected = np.array([[20, 16, 40, 32]])
    np.testing.assert_allclose(boxed(path, (10, 6, 20, 12)).boxes, expected)
    np.testing.assert_allclose(boxed(path, (0.25, 0.2, 0.5, 0.4), relative=True).boxes, expected)


@pytest.mark.parametrize(
    ("box", "what"),
    [
        ((5, 5, 5, 9), "is degenerate (5, 5, 5, 9): dropped"),
        ((9, 5, 5, 9), "is degenerate"),
        ((float("nan"), 5, 9, 9), "is degenerate"),
        ((50, 5, 60, 9), "is outside of 40 x 30 pixels (50, 5, 60, 9): dropped"),
    ],
)
def test_boxes_that_cannot_be_used_are_dropped_by_name(tmp_path: Path, box: Box, what: str) -> None:
    found = boxed(picture(tmp_path / "a.png", 0), (1, 1, 9, 9), box)
    (problem,) = found.problems
    assert problem.file.name == "a.txt" and f"box 2 of a.png {what}" in problem.what
    assert len(found.labels) == len(found.boxes) == 1  # type: ignore[arg-type]


def test_a_box_that_reaches_outside_is_clipped(tmp_path: Path) -> None:
    found = boxed(picture(tmp_path / "a.png", 0), (30, 20, 45, 30.5))
    assert [problem.what.rpartition(": ")[2] for problem in found.problems] == ["clipped"]
    np.testing.assert_allclose(found.boxes, [[60, 53.333332, 80, 80]])  # type: ignore[arg-type]
