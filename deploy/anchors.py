"""AnchorDecoder: raw outputs of detectors that correct anchors, as torchvision's SSD and RetinaNet do it.

```
ssd         softmax(cls) less background -> threshold, best candidates a class --\
retinanet   sigmoid(cls)                 -> threshold, best candidates a level ---+-> boxes -> clip -> NMS a class
```

(Liu et al. 2016, arXiv 1512.02325; Lin et al. 2017, arXiv 1708.02002.)
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from deploy.boxes import best_above, sigmoid, suppressed

LARGEST_GROWTH = np.log(1000 / 16)
"""A side grows over its anchor's at most so much, in logarithms, as in torchvision."""

Candidates = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Scores, anchors and labels of the boxes that non-maximum suppression is given, each (n,)."""


@dataclass(frozen=True)
class AnchorDecoder(ABC):
    """Decodes one sample at a time.

    Attributes:
        grids: Rows and columns of cells of each level.
        steps: Pixels down and across from one cell to the next, of each level.
        cells: The anchors of the first cell, xyxy in pixels, of each level.
        weights: What the corrections of x, y, width and height were multiplied by.
        score_threshold: Only scores above it are candidates.
        nms_threshold: A box that overlaps a better one of its class by more (IoU) is dropped.
        candidates: The most candidates of a level, or of a class.
        detections: The most boxes of a sample.
        image_size: Side of the model's input in pixels; boxes are clipped to it.
    """

    grids: list[list[int]]
    steps: list[list[float]]
    cells: list[list[list[float]]]
    weights: list[float]
    score_threshold: float
    nms_threshold: float
    candidates: int
    detections: int
    image_size: int

    def __post_init__(self) -> None:
        if not len(self.grids) == len(self.steps) == len(self.cells) or not self.grids or len(self.weights) != 4:
            raise ValueError("anchors need grids, steps and cells of the same levels, and four weights")

    def __call__(self, cls: np.ndarray, regression: np.ndarray) -> dict[str, np.ndarray]:
        """Return boxes (n, 4) xyxy in pixels, scores (n,) falling, labels (n,) from 0.

        Args:
            cls: Logits (1, A, K), A the anchors of all levels, row by row, those of a cell side by side.
            regression: (1, A, 4), corrections of x, y, width and height.
        """
        scores, anchors, labels = self._candidates(cls[0])
        boxes = self._corrected(regression[0, anchors], self._anchors()[anchors])
        boxes = np.clip(boxes, 0, self.image_size).astype(np.float32)
        kept = suppressed(boxes, scores, labels, self.nms_threshold, self.detections)
        return {"boxes": boxes[kept], "scores": scores[kept], "labels": labels[kept].astype(np.int64)}

    @abstractmethod
    def _candidates(self, cls: np.ndarray) -> Candidates:
        """Return the candidates among logits (A, K)."""

    def _levels(self) -> list[slice]:
        """Return which anchors are of each level."""
        sizes = [rows * columns * len(cell) for (rows, columns), cell in zip(self.grids, self.cells, strict=True)]
        ends = np.cumsum(sizes).tolist()
        return [slice(end - size, end) for size, end in zip(sizes, ends, strict=True)]

    def _anchors(self) -> np.ndarray:
        """Return the anchors of all levels, (A, 4) xyxy."""
        levels = []
        for (rows, columns), (down, across), cell in zip(self.grids, self.steps, self.cells, strict=True):
            y, x = np.divmod(np.arange(rows * columns), columns)
            moves = np.stack([x * across, y * down, x * across, y * down], axis=1)
            levels.append((moves[:, None] + np.array(cell)).reshape(-1, 4))
        return np.concatenate(levels).astype(np.float32)

    def _corrected(self, regression: np.ndarray, anchors: np.ndarray) -> np.ndarray:
        sides = anchors[:, 2:] - anchors[:, :2]
        moved = regression / np.array(self.weights, dtype=np.float32)
        centres = anchors[:, :2] + sides / 2 + moved[:, :2] * sides
        grown = np.exp(np.minimum(moved[:, 2:], np.float32(LARGEST_GROWTH))) * sides
        return np.concatenate([centres - grown / 2, centres + grown / 2], axis=1)


class RetinaNetDecoder(AnchorDecoder):
    """Every class of an anchor is a candidate of its level."""

    def _candidates(self, cls: np.ndarray) -> Candidates:
        found = []
        for level in self._levels():
            scores = sigmoid(cls[level]).ravel()
            best = best_above(scores, self.score_threshold, self.candidates)
            anchors, labels = np.divmod(best, cls.shape[1])
            found.append((scores[best], anchors + level.start, labels))
        return _joined(found)


class SsdDecoder(AnchorDecoder):
    """Of every class the best anchors are candidates; the first logit is the background's."""

    def _candidates(self, cls: np.ndarray) -> Candidates:
        weights = np.exp(cls - cls.max(axis=1, keepdims=True))
        shares = (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
        found = []
        for label, scores in enumerate(shares.T[1:]):
            best = best_above(scores, self.score_threshold, self.candidates)
            found.append((scores[best], best, np.full(len(best), label)))
        return _joined(found)


def _joined(found: list[Candidates]) -> Candidates:
    scores, anchors, labels = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return scores, anchors, labels
