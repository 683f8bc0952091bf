"""Rules: what a detector's raw outputs mean at one image size: losses, detections, post-processing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

from torch import Tensor

from automl.tasks import fcos
from search_spaces.task import Outputs, Prediction, Target


class Rules(Protocol):
    """One kind of detector."""

    def loss(self, outputs: Outputs, targets: Sequence[Target]) -> Tensor:
        """Return the scalar loss against the ground truth."""
        ...

    def response_loss(self, outputs: Outputs, teacher: Outputs, temperature: float) -> Tensor:
        """Return the scalar distillation loss between raw outputs."""
        ...

    def detections(self, outputs: Outputs) -> list[Prediction]:
        """Return the detections of each sample, best first."""
        ...

    def postprocessing(self) -> dict[str, Any]:
        """Return, as JSON, what deploy needs to turn raw outputs into detections."""
        ...


@dataclass(frozen=True)
class LevelRules:
    """FCOS of one level.

    Attributes:
        image_size: Side of an image in pixels.
        stride: Pixels between two anchors.
    """

    image_size: int
    stride: int

    @cached_property
    def anchors(self) -> Tensor:
        """The grid's anchors, (A, 4) xyxy."""
        return fcos.grid_anchors(self.image_size // self.stride, self.stride)

    def loss(self, outputs: Outputs, targets: Sequence[Target]) -> Tensor:
        """Return torchvision's FCOS loss."""
        return fcos.detection_loss(outputs, targets, self.anchors)

    def response_loss(self, outputs: Outputs, teacher: Outputs, temperature: float) -> Tensor:
        """Return the distillation loss between raw outputs."""
        return fcos.detection_response_loss(outputs, teacher, self.anchors, temperature)

    def detections(self, outputs: Outputs) -> list[Prediction]:
        """Return the detections of each sample, best first."""
        return fcos.detections(outputs, self.anchors, self.image_size)

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
