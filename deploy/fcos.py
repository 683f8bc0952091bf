"""FcosDecoder: FCOS raw outputs to boxes (Tian et al. 2019, arXiv 1904.01355), as torchvision's FCOS does it.

```
scores = sqrt(sigmoid(cls) * sigmoid(ctr)) -> threshold -> best candidates a level -> boxes -> clip -> NMS a class
```
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class FcosDecoder:
    """Decodes one sample at a time.

    Attributes:
        strides: Pixels from one anchor to the next, one value a level; an anchor is a square of that side.
        grids: Rows and columns of anchors of each level.
        score_threshold: Only scores above it are candidates.
        nms_threshold: A box that overlaps a better one of its class by more (IoU) is dropped.
        candidates: The most candidates of a level.
        detections: The most boxes of a sample.
        image_size: Side of the model's input in pixels; boxes are clipped to it.
        anchor_offset: Where the first anchor is centred, in strides: 0 is torchvision's, 0.5 a cell's middle.
    """

    strides: list[int]
    grids: list[list[int]]
    score_threshold: float
    nms_threshold: float
    candidates: int
    detections: int
    image_size: int
    anchor_offset: float = 0.0

    def __post_init__(self) -> None:
        if len(self.strides) != len(self.grids) or not self.strides:
            raise ValueError(f"{len(self.strides)} strides for {len(self.grids)} grids")

    def __call__(self, cls: np.ndarray, regression: np.ndarray, centerness: np.ndarray) -> dict[str, np.ndarray]:
        """Return boxes (n, 4) xyxy in pixels, scores (n,) falling, labels (n,) from 0.

        Args:
            cls: Logits (1, A, K), A the anchors of all levels, row by row.
            regression: (1, A, 4), distances to the four sides in strides.
            centerness: Logits (1, A, 1).
        """
        levels, begin = [], 0
        for stride, (rows, columns) in zip(self.strides, self.grids, strict=True):
            part = slice(begin, begin := begin + rows * columns)
            levels.append(
                self._level(
                    cls[0, part], regression[0, part], centerness[0, part], self._centres(stride, rows, columns)
                )
            )
        boxes, scores, labels = (np.concatenate(parts) for parts in zip(*levels, strict=True))
        kept = _nms_by_class(boxes, scores, labels, self.nms_threshold)[: self.detections]
        return {"boxes": boxes[kept], "scores": scores[kept], "labels": labels[kept]}

    def _level(
        self, cls: np.ndarray, regression: np.ndarray, centerness: np.ndarray, centres: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        scores = np.sqrt(_sigmoid(cls) * _sigmoid(centerness)).ravel()
        above = np.flatnonzero(scores > np.float32(self.score_threshold))
        best = above[np.argsort(-scores[above], kind="stable")[: self.candidates]]
        anchors, labels = np.divmod(best, cls.shape[1])
        x, y, side = centres[anchors].T
        left, top, right, bottom = regression[anchors].T * side
        boxes = np.stack([x - left, y - top, x + right, y + bottom], axis=1)
        return np.clip(boxes, 0, self.image_size).astype(np.float32), scores[best], labels.astype(np.int64)

    def _centres(self, stride: int, rows: int, columns: int) -> np.ndarray:
        """Return x, y and side of each anchor, (rows * columns, 3)."""
        y, x = np.stack(np.divmod(np.arange(rows * columns), columns)) + self.anchor_offset
        return np.stack([x * stride, y * stride, np.full_like(x, stride)], axis=1).astype(np.float32)


def _sigmoid(logits: np.ndarray) -> np.ndarray:
    # exp of -|x| cannot overflow.
    small = np.exp(-np.abs(logits))
    return np.where(logits >= 0, 1 / (1 + small), small / (1 + small)).astype(np.float32)


def _nms_by_class(boxes: np.ndarray, scores: np.ndarray, labels: np.ndarray, threshold: float) -> np.ndarray:
    order = np.argsort(-scores, kind="stable")
    suppresses = (_iou(boxes) > threshold) & (labels[:, None] == labels[None, :])
    alive = np.ones(len(boxes), dtype=bool)
    kept = []
    for index in order:
        if alive[index]:
            kept.append(index)
            alive &= ~suppresses[index]
    return np.array(kept, dtype=np.int64)


def _iou(boxes: np.ndarray) -> np.ndarray:
    corner = np.maximum(boxes[:, None, :2], boxes[None, :, :2])
    opposite = np.minimum(boxes[:, None, 2:], boxes[None, :, 2:])
    shared = np.clip(opposite - corner, 0, None).prod(axis=2)
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
    union = areas[:, None] + areas[None, :] - shared
    return np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
