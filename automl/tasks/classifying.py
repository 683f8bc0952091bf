"""Classifying: what every classification task does alike: augmentation, losses, answers and their quality."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from automl.tasks.augment import augmented
from evaluators.top1 import bootstrap_top1, top1
from search_spaces.task import Outputs, Prediction, Target

REACH = 1 / 12
"""Share of the image's side by which a training image is shifted at most."""


class Classifying:
    """The methods of a Task whose quality is top-1; data and cloud model are the subclass's."""

    metric: str = "top-1"
    natural: bool = False
    """Whether images are as cameras see them: mirrored they may be, their colours say something."""

    if TYPE_CHECKING:

        @property
        def image_size(self) -> int:
            """Side of an image in pixels: a field of some subclasses, a property of others."""

    def augment(
        self, images: Tensor, targets: list[Target], generator: torch.Generator
    ) -> tuple[Tensor, list[Target]]:
        """Return the batch shifted by a few pixels, with its colours, contrast and noise jittered."""
        return augmented(images, targets, round(self.image_size * REACH), self.natural, generator)

    def task_loss(self, outputs: Outputs, targets: list[Target]) -> Tensor:
        """Return the cross-entropy."""
        return F.cross_entropy(outputs[0], torch.stack([target["label"] for target in targets]))

    def response_loss(self, outputs: Outputs, teacher: Outputs, temperature: float) -> Tensor:
        """Return the KL divergence from the teacher at the temperature, times its square (Hinton et al. 2015)."""
        taught = F.log_softmax(teacher[0].detach() / temperature, 1)
        learned = F.log_softmax(outputs[0] / temperature, 1)
        return F.kl_div(learned, taught, reduction="batchmean", log_target=True) * temperature**2

    def predict(self, outputs: Outputs) -> list[Prediction]:
        """Return the class probabilities of each sample."""
        return [{"scores": scores} for scores in outputs[0].detach().softmax(1).numpy()]

    def quality(self, predictions: Sequence[Prediction], targets: Sequence[Target]) -> float:
        """Return top-1, 0 to 1."""
        return top1(predictions, targets)

    def bootstrap(
        self, predictions: Sequence[Prediction], targets: Sequence[Target], weights: np.ndarray
    ) -> np.ndarray:
        """Return the top-1 (r,) of each resample in ``weights`` (r, n)."""
        return bootstrap_top1(predictions, targets, weights)

    def postprocessing(self) -> dict[str, Any]:
        """Return what deploy needs to turn logits into probabilities."""
        return {"kind": "softmax"}
