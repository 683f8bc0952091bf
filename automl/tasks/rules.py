"""Rules: what a detector's raw outputs mean at one image size: losses, detections, post-processing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from automl.tasks import fcos
from automl.tasks.exit_heads import FcosExit
from search_spaces.placement import Constant
from search_spaces.task import Outputs, Prediction, Target

RANKED = 24
"""Anchors whose scores a gate reads: more than a scene has objects."""


def scores_read(scores: Tensor, count: int) -> Tensor:
    """Return what a gate reads of scores (b, A, K): 1 - the best anchors' mean, these, each class's best, (b, s).

    Args:
        scores: Of every anchor and class.
        count: A; known beforehand, so that what is read can be traced.
    """
    anchors = scores.amax(2)
    best = anchors.topk(min(RANKED, count), 1).values
    return torch.cat([1 - best.mean(1, keepdim=True), best, anchors.mean(1, keepdim=True), scores.amax(1)], 1)


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

    def exit_head(self, shape: tuple[int, ...]) -> nn.Module | None:
        """Return an untrained head: edge features of this shape to raw outputs; None where there is none."""
        ...

    def confidence(self, outputs: Outputs) -> Tensor:
        """Return what tells how sure raw outputs are, (b, s)."""
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
        classes: How many there are.
    """

    image_size: int
    stride: int
    classes: int

    @cached_property
    def anchors(self) -> Tensor:
        """The grid's anchors, (A, 4) xyxy."""
        return fcos.grid_anchors(self.image_size // self.stride, self.stride)

    @cached_property
    def _placed(self) -> Constant:
        return Constant(self.anchors)

    def loss(self, outputs: Outputs, targets: Sequence[Target]) -> Tensor:
        """Return torchvision's FCOS loss."""
        return fcos.detection_loss(outputs, targets, self._placed.at(outputs[0]))

    def response_loss(self, outputs: Outputs, teacher: Outputs, temperature: float) -> Tensor:
        """Return the distillation loss between raw outputs."""
        return fcos.detection_response_loss(outputs, teacher, self._placed.at(outputs[0]), temperature)

    def detections(self, outputs: Outputs) -> list[Prediction]:
        """Return the detections of each sample, best first."""
        return fcos.detections(outputs, self.anchors, self.image_size)

    def exit_head(self, shape: tuple[int, ...]) -> nn.Module | None:
        """Return FCOS on this level for features of a finer or equal grid; None for a coarser one."""
        side, grid = shape[-1], self.image_size // self.stride
        if len(shape) != 3 or side < grid:
            return None
        halvings = (side // grid).bit_length() - 1
        return FcosExit(shape[0], halvings, self.classes) if side == grid << halvings else None

    def confidence(self, outputs: Outputs) -> Tensor:
        """Return the best anchors' scores, best first, and the best score of each class, (b, s)."""
        return scores_read(fcos.scores(outputs), len(self.anchors))

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
