"""The built-in classification task: which digit stands in the middle of a piece of photograph."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from functools import cache
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from automl.tasks.augment import jittered, shifted
from automl.tasks.crops import CropStyle, compose_crop
from automl.tasks.nets import Classifier, Stage
from automl.tasks.sources import CLASSES, SPLITS, source
from automl.tasks.splits import Counts, digest, stacked
from evaluators.top1 import bootstrap_top1, top1
from search_spaces.task import DataSplit, Outputs, Prediction, Recipe, SplitName, Target

STEM = 16
STAGES: tuple[Stage, ...] = ((24, 2), (24, 1), (48, 2), (48, 1), (64, 1), (64, 1))
PLACES = 3
COUNTS = Counts(4000, 512, 1000)
STYLE = CropStyle()
RECIPE = Recipe(steps=1500, batch=64, learning_rate=3e-3, weight_decay=0.05)


@dataclass(frozen=True)
class ClassificationTask:
    """Name the digit in the middle of a 48 x 48 crop; quality is top-1.

    Attributes:
        counts: Crops in each split.
        style: How hard the crops are.
        recipe: How the cloud model is trained.
        seed: Seeds the crops and the model's first weights.
    """

    counts: Counts = COUNTS
    style: CropStyle = STYLE
    recipe: Recipe = RECIPE
    seed: int = 0
    name: str = field(default="classification", init=False)
    metric: str = field(default="top-1", init=False)
    classes: tuple[str, ...] = field(default=CLASSES, init=False)

    @property
    def image_size(self) -> int:
        """Side of a crop in pixels."""
        return self.style.size

    def data(self, split: SplitName) -> DataSplit:
        """Return one split; the three share no digit scan and no pixel of a photograph."""
        return _crops(*self._source_of(split))

    def _source_of(self, split: SplitName) -> tuple[CropStyle, int, SplitName, int]:
        return self.style, self.seed, split, getattr(self.counts, split)

    def fingerprint(self) -> dict[str, Any]:
        """Return what shapes data and model: settings, and the sha256 of every split's content."""
        return {
            "task": self.name,
            "seed": self.seed,
            "recipe": asdict(self.recipe),
            "style": asdict(self.style),
            "model": {"stem": STEM, "stages": STAGES, "places": PLACES},
            "data": {split: _digest(*self._source_of(split)) for split in SPLITS},
        }

    def cloud_model(self) -> nn.Module:
        """Return the untrained classifier, seeded: (b, 3, H, W) to a tuple of logits (b, 10)."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            model = Classifier(STEM, STAGES, len(CLASSES), PLACES)
        return model.to(memory_format=torch.channels_last)

    def augment(
        self, images: Tensor, targets: list[Target], generator: torch.Generator
    ) -> tuple[Tensor, list[Target]]:
        """Return the batch shifted by a few pixels, with its colours, contrast and noise jittered."""
        images, targets = shifted(images, targets, 4, generator)
        return jittered(images, generator), targets

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


@cache
def _crops(style: CropStyle, seed: int, split: SplitName, count: int) -> DataSplit:
    material = source(split)
    rng = np.random.default_rng([seed, SPLITS.index(split)])
    crops = [compose_crop(material, style, rng) for _ in range(count)]
    return stacked(split, [image for image, _ in crops], [{"label": torch.tensor(label)} for _, label in crops])


@cache
def _digest(style: CropStyle, seed: int, split: SplitName, count: int) -> str:
    return digest(_crops(style, seed, split, count))
