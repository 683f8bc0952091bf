"""The built-in classification task: which digit stands in the middle of a piece of photograph."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from functools import cache
from typing import Any

import numpy as np
import torch
from torch import nn

from automl.tasks.classifying import Classifying
from automl.tasks.crops import CropStyle, compose_crop
from automl.tasks.nets import Classifier, Stage
from automl.tasks.sources import CLASSES, SPLITS, source
from automl.tasks.splits import Counts, digest, stacked
from search_spaces.task import DataSplit, Recipe, SplitName

STEM = 16
STAGES: tuple[Stage, ...] = ((24, 2), (24, 1), (48, 2), (48, 1), (64, 1), (64, 1))
PLACES = 3
COUNTS = Counts(4000, 512, 1000)
STYLE = CropStyle()
RECIPE = Recipe(steps=1500, batch=64, learning_rate=3e-3, weight_decay=0.05)


@dataclass(frozen=True)
class ClassificationTask(Classifying):
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


@cache
def _crops(style: CropStyle, seed: int, split: SplitName, count: int) -> DataSplit:
    material = source(split)
    rng = np.random.default_rng([seed, SPLITS.index(split)])
    crops = [compose_crop(material, style, rng) for _ in range(count)]
    return stacked(split, [image for image, _ in crops], [{"label": torch.tensor(label)} for _, label in crops])


@cache
def _digest(style: CropStyle, seed: int, split: SplitName, count: int) -> str:
    return digest(_crops(style, seed, split, count))
