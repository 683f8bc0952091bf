"""Detecting: what every detection task does alike: losses, detections and their quality."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import Tensor

from automl.tasks import fcos
from automl.tasks.augmenting import Augmenting
from evaluators.detection_quality import bootstrap_map, mean_average_precision
from search_spaces.task import Outputs, Prediction, Target


class Detecting(Augmenting):
    """The methods of a Task whose quality is mAP and whose model is an FCOS of one level."""

    metric: str = "mAP"
    reach = 1 / 16

    if TYPE_CHECKING:

        @property
        def stride(self) -> int:
            """Pixels between two anchors."""

    @property
    def anchors(self) -> Tensor:
        """The grid's anchors, (A, 4) xyxy."""
        return _anchors(self.image_size, self.stride)

    def task_loss(self, outputs: Outputs, targets: list[Target]) -> Tensor:
        """Return torchvision's FCOS loss."""
        return fcos.detection_loss(outputs, targets, self.anchors)

    def response_loss(self, outputs: Outputs, teacher: Outputs, temperature: float) -> Tensor:
        """Return the distillation loss between raw detector outputs."""
        return fcos.detection_response_loss(outputs, teacher, self.anchors, temperature)

    def predict(self, outputs: Outputs) -> list[Prediction]:
        """Return the detections of each sample, best first."""
        return fcos.detections(outputs, self.anchors, self.image_size)

    def quality(self, predictions: Sequence[Prediction], targets: Sequence[Target]) -> float:
        """Return COCO's mAP, 0 to 1."""
        return mean_average_precision(predictions, targets)

    def bootstrap(
        self, predictions: Sequence[Prediction], targets: Sequence[Target], weights: np.ndarray
    ) -> np.ndarray:
        """Return the mAP (r,) of each resample in ``weights`` (r, n)."""
        return bootstrap_map(predictions, targets, weights)

    def postprocessing(self) -> dict[str, Any]:
        """Return what deploy needs to turn raw outputs into detections."""
        grid = self.image_size // self.stride
        return {
            "kind": "fcos",
            "strides": [self.stride],
            "grids": [[grid, grid]],
            "anchor_offset": fcos.ANCHOR_OFFSET,
            "score_threshold": fcos.SCORE_THRESHOLD,
            "nms_threshold": fcos.NMS_THRESHOLD,
            "candidates": fcos.CANDIDATES,
            "detections": fcos.DETECTIONS,
            "image_size": self.image_size,
        }


@cache
def _anchors(image_size: int, stride: int) -> Tensor:
    return fcos.grid_anchors(image_size // stride, stride)
