"""The rules of torchvision's FCOS, RetinaNet and SSD."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar

from torch import Tensor

from automl.tasks import fcos
from automl.tasks.distance import box_distance, mass_of, sigmoid_distance, softmax_distance
from automl.tasks.one_stage import BOXES, CENTERNESS, CLASSES, OneStageRules
from search_spaces.task import Outputs, Target


class FcosRules(OneStageRules):
    """FCOS (Tian et al. 2019, arXiv 1904.01355): one square anchor a cell, and how central it is in its box."""

    outputs: ClassVar[tuple[str, ...]] = (CLASSES, BOXES, CENTERNESS)

    def _losses(self, heads: dict[str, Tensor], targets: list[Target]) -> dict[str, Tensor]:
        anchors = [self.anchors_at(heads[BOXES])] * len(targets)
        losses: dict[str, Tensor] = self.model.compute_loss(targets, heads, anchors, self.level_sizes)
        return losses

    def response_loss(self, outputs: Outputs, teacher: Outputs, temperature: float) -> Tensor:
        """Return the distillation loss between raw outputs."""
        return fcos.detection_response_loss(outputs, teacher, self.anchors_at(outputs[0]), temperature)

    def scores(self, outputs: Outputs) -> Tensor:
        """Return the score of every anchor and class, (b, A, K)."""
        return fcos.scores(outputs)

    def postprocessing(self) -> dict[str, Any]:
        """Return what deploy needs to turn raw outputs into detections."""
        sides = [float(size[0]) for size in self.model.anchor_generator.sizes]
        strides = [self.image_size // rows for rows, _ in self.grids]
        return {"kind": "fcos", "strides": strides, "sides": sides, **self._settings()}


class AnchorRules(OneStageRules):
    """Detectors that correct anchors of several shapes."""

    def response_loss(self, outputs: Outputs, teacher: Outputs, temperature: float) -> Tensor:
        """Return the distance of classes and, weighed by the teacher's score, GIoU of boxes."""
        (logits, regression), (taught, hints) = outputs, (t.detach() for t in teacher)
        sure, classes = self._classes(logits, taught, temperature)
        boxes = box_distance(self._corrected(regression), self._corrected(hints), sure)
        return (classes + boxes) / mass_of(sure)

    @abstractmethod
    def _classes(self, logits: Tensor, taught: Tensor, temperature: float) -> tuple[Tensor, Tensor]:
        """Return how sure the teacher is of each anchor, (b, A), and how far the classes are from it, a scalar."""

    def _corrected(self, regression: Tensor) -> Tensor:
        """Return the boxes (b, A, 4) xyxy of corrections (b, A, 4)."""
        anchors = self.anchors_at(regression).repeat(len(regression), 1)
        boxes: Tensor = self._coder().decode_single(regression.flatten(0, 1), anchors)
        return boxes.view_as(regression)

    def _coder(self) -> Any:
        return self.model.box_coder

    def _anchor_settings(self) -> dict[str, Any]:
        """Return where the anchors are: each level's first cell, and the steps to the others."""
        counts = self.model.anchor_generator.num_anchors_per_location()
        levels = [
            level.view(*grid, count, 4)
            for level, grid, count in zip(self.anchors.split(self.level_sizes), self.grids, counts, strict=True)
        ]
        weights = [float(weight) for weight in self._coder().weights]
        cells = [level[0, 0].tolist() for level in levels]
        return {
            "steps": [_steps(level) for level in levels],
            "cells": cells,
            "weights": weights,
            **self._settings(),
        }


def _steps(level: Tensor) -> list[float]:
    """Return the pixels down and across from one cell to the next: anchors (rows, columns, count, 4)."""
    first, last = level[0, 0, 0], level[-1, -1, 0]
    rows, columns = (max(1, side - 1) for side in level.shape[:2])
    return [float(last[1] - first[1]) / rows, float(last[0] - first[0]) / columns]


class RetinaNetRules(AnchorRules):
    """RetinaNet (Lin et al. 2017, arXiv 1708.02002)."""

    def _losses(self, heads: dict[str, Tensor], targets: list[Target]) -> dict[str, Tensor]:
        anchors = [self.anchors_at(heads[BOXES])] * len(targets)
        losses: dict[str, Tensor] = self.model.compute_loss(targets, heads, anchors)
        return losses

    def _classes(self, logits: Tensor, taught: Tensor, temperature: float) -> tuple[Tensor, Tensor]:
        sure = taught.sigmoid().amax(-1)
        return sure, sigmoid_distance(logits, taught, sure, temperature)

    def scores(self, outputs: Outputs) -> Tensor:
        """Return the score of every anchor and class, (b, A, K)."""
        return outputs[0].sigmoid()

    def postprocessing(self) -> dict[str, Any]:
        """Return what deploy needs to turn raw outputs into detections."""
        return {"kind": "retinanet", **self._anchor_settings()}


class SsdRules(AnchorRules):
    """SSD (Liu et al. 2016, arXiv 1512.02325), whose first class is the background."""

    def _losses(self, heads: dict[str, Tensor], targets: list[Target]) -> dict[str, Tensor]:
        shifted = [{**target, "labels": target["labels"] + 1} for target in targets]
        anchors = [self.anchors_at(heads[BOXES])] * len(targets)
        losses: dict[str, Tensor] = self.model.compute_loss(shifted, heads, anchors, self.matched(targets))
        return losses

    def _classes(self, logits: Tensor, taught: Tensor, temperature: float) -> tuple[Tensor, Tensor]:
        sure = 1 - taught.softmax(-1)[..., 0]
        return sure, softmax_distance(logits, taught, sure, temperature)

    def _postprocessed(self, heads: dict[str, Tensor], sides: list[tuple[int, int]]) -> list[dict[str, Tensor]]:
        found = self.model.postprocess_detections(heads, [self.anchors] * len(sides), sides)
        return [{**each, "labels": each["labels"] - 1} for each in found]

    def scores(self, outputs: Outputs) -> Tensor:
        """Return the score of every anchor and class but the background, (b, A, K)."""
        return outputs[0].softmax(-1)[..., 1:]

    def postprocessing(self) -> dict[str, Any]:
        """Return what deploy needs to turn raw outputs into detections."""
        return {"kind": "ssd", **self._anchor_settings()}
