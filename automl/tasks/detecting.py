"""Detecting: what every detection task does alike: losses, detections and their quality."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import Tensor, nn

from automl.tasks.augmenting import Augmenting
from automl.tasks.rules import Rules
from evaluators.detection_harm import detection_harm
from evaluators.detection_quality import bootstrap_map, mean_average_precision
from search_spaces.task import Outputs, Prediction, Target


class Detecting(Augmenting):
    """The methods of a Task whose quality is mAP."""

    metric: str = "mAP"
    reach = 1 / 16

    if TYPE_CHECKING:

        @property
        def rules(self) -> Rules:
            """What the cloud model's raw outputs mean."""

    def task_loss(self, outputs: Outputs, targets: list[Target]) -> Tensor:
        """Return the detector's own loss."""
        return self.rules.loss(outputs, targets)

    def response_loss(self, outputs: Outputs, teacher: Outputs, temperature: float) -> Tensor:
        """Return the distillation loss between raw detector outputs."""
        return self.rules.response_loss(outputs, teacher, temperature)

    def predict(self, outputs: Outputs) -> list[Prediction]:
        """Return the detections of each sample, best first."""
        return self.rules.detections(outputs)

    def quality(self, predictions: Sequence[Prediction], targets: Sequence[Target]) -> float:
        """Return COCO's mAP, 0 to 1."""
        return mean_average_precision(predictions, targets)

    def bootstrap(
        self, predictions: Sequence[Prediction], targets: Sequence[Target], weights: np.ndarray
    ) -> np.ndarray:
        """Return the mAP (r,) of each resample in ``weights`` (r, n)."""
        return bootstrap_map(predictions, targets, weights)

    def exit_head(self, shapes: tuple[tuple[int, ...], ...]) -> nn.Module | None:
        """Return an untrained detector of edge features; None where the rules have none."""
        return self.rules.exit_head(shapes[0]) if len(shapes) == 1 else None

    def confidence(self, outputs: Outputs) -> Tensor:
        """Return what tells how sure raw detector outputs are, (b, s)."""
        return self.rules.confidence(outputs)

    def harm(self, predictions: Sequence[Prediction], targets: Sequence[Target]) -> np.ndarray:
        """Return how far each sample's detections are from its objects, (n,) in 0..1."""
        return detection_harm(predictions, targets)

    def postprocessing(self) -> dict[str, Any]:
        """Return what deploy needs to turn raw outputs into detections."""
        return self.rules.postprocessing()
