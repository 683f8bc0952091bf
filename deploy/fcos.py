"""FcosDecoder: FCOS raw outputs to boxes (Tian et al. 2019, arXiv 1904.01355), as torchvision's FCOS does it.

```
scores = sqrt(sigmoid(cls) * sigmoid(ctr)) -> threshold -> best candidates a level -> boxes -> clip -> NMS a class
```
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from deploy.boxes import best_above, sigmoid, suppressed


@dataclass(frozen=True)
class FcosDecoder:
    """Decodes one sample at a time.

    Attributes:
        strides: Pixels from one anchor to the next, one value a level.
        grids: Rows and columns of anchors of each level.
        score_threshold: Only scores above it are candidates.
        nms_threshold: A box that overlaps a better one of its class by more (IoU) is dropped.
        candidates: The most candidates of a level.
        detections: The most boxes of a sample.
        image_size: Side of the model's input in pixels; boxes are clipped to it.
        anchor_offset: Where the first anchor is centred, in strides: 0 is torchvision's, 0.5 a cell's middle.
        sides: Side of each level's anchors, which are squares; the strides where None.
    """

    strides: list[int]
    grids: list[list[int]]
    score_threshold: float
    nms_threshold: float
    candidates: int
    detections: int
    image_size: int
    anchor_offset: float = 0.0
    sides: list[float] | None = None

    def __post_init__(self) -> None:
        if not len(self.strides) == len(self.grids) == len(self._sides) or not self.strides:
            raise ValueError(
                f"{len(self.strides)} strides and {len(self._sides)} sides for {len(self.grids)} grids"
            )

    @property
    def _sides(self) -> list[float]:
        return [*self.strides] if self.sides is None else self.sides

    def __call__(self, cls: np.ndarray, regression: np.ndarray, centerness: np.ndarray) -> dict[str, np.ndarray]:
        """Return boxes (n, 4) xyxy in pixels, scores (n,) falling, labels (n,) from 0.

        Args:
            cls: Logits (1, A, K), A the anchors of all levels, row by row.
            regression: (1, A, 4), distances to the four sides in anchors' sides.
            centerness: Logits (1, A, 1).
        """
        levels, begin = [], 0
        for stride, side, (rows, columns) in zip(self.strides, self._sides, self.grids, strict=True):
            part = slice(begin, begin := begin + rows * columns)
            outputs = cls[0, part], regression[0, part], centerness[0, part]
            levels.append(self._level(*outputs, self._squares(stride, side, rows, columns)))
        boxes, scores, labels = (np.concatenate(parts) for parts in zip(*levels, strict=True))
        kept = suppressed(boxes, scores, labels, self.nms_threshold, self.detections)
        return {"boxes": boxes[kept], "scores": scores[kept], "labels": labels[kept]}

    def _level(
        self, cls: np.ndarray, regression: np.ndarray, centerness: np.ndarray, squares: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        scores = np.sqrt(sigmoid(cls) * sigmoid(centerness)).ravel()
        best = best_above(scores, self.score_threshold, self.candidates)
        anchors, labels = np.divmod(best, cls.shape[1])
        x, y, side = squares[anchors].T
        left, top, right, bottom = regression[anchors].T * side
        boxes = np.stack([x - left, y - top, x + right, y + bottom], axis=1)
        return np.clip(boxes, 0, self.image_size).astype(np.float32), scores[best], labels.astype(np.int64)

    def _squares(self, stride: int, side: float, rows: int, columns: int) -> np.ndarray:
        """Return x, y and side of each anchor, (rows * columns, 3)."""
        y, x = np.stack(np.divmod(np.arange(rows * columns), columns)) + self.anchor_offset
        return np.stack([x * stride, y * stride, np.full_like(x, side)], axis=1).astype(np.float32)
