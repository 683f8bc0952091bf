"""Classifying: what every classification task does alike: losses, answers and their quality."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from automl.tasks.augmenting import Augmenting
from automl.tasks.exit_heads import ClassExit
from evaluators.top1 import bootstrap_top1, right, top1
from search_spaces.task import Outputs, Prediction, Target

RANKED, NAMED = 5, 64
"""Probabilities that a gate reads: the best ones, and those of so many classes by name."""
ALMOST_NEVER = 1e-6


class Classifying(Augmenting):
    """The methods of a Task whose quality is top-1; data and cloud model are the subclass's."""

    metric: str = "top-1"
    reach = 1 / 12

    if TYPE_CHECKING:

        @property
        def classes(self) -> tuple[str, ...]:
            """The classes' names."""

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

    def exit_head(self, shapes: tuple[tuple[int, ...], ...]) -> nn.Module | None:
        """Return an untrained classifier of edge features; None where several tensors cross."""
        return ClassExit(shapes[0], len(self.classes)) if len(shapes) == 1 else None

    def confidence(self, outputs: Outputs) -> Tensor:
        """Return the log odds against the best class, then the best probabilities and the classes' own, (b, s)."""
        shares = outputs[0].softmax(1)
        best = shares.topk(min(RANKED, len(self.classes)), 1).values
        sure = best[:, :1].clamp(ALMOST_NEVER, 1 - ALMOST_NEVER)
        return torch.cat([(1 - sure).log() - sure.log(), best, shares[:, :NAMED]], 1)

    def harm(self, predictions: Sequence[Prediction], targets: Sequence[Target]) -> np.ndarray:
        """Return 1 for each wrong class, 0 for each right one, (n,)."""
        return 1 - right(predictions, targets)

    def postprocessing(self) -> dict[str, Any]:
        """Return what deploy needs to turn logits into probabilities."""
        return {"kind": "softmax"}
