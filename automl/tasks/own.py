"""Own tasks: the user's data set as a Task."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn

from automl.data.formats import listed
from automl.data.store import Store, stored
from automl.reporter import Reporter
from automl.tasks.classifying import Classifying
from automl.tasks.detecting import Detecting
from automl.tasks.nets import Classifier, Detector, Stage
from search_spaces.task import DataSplit, Recipe, SplitName

SEED = 0
STEM = 16
STAGES: tuple[Stage, ...] = ((24, 2), (24, 1), (48, 2), (48, 1), (64, 1), (64, 1))
PLACES = 3
HEAD_CONVS = 1
STRIDE = 8
CLASSIFICATION_SIDE, DETECTION_SIDE = 64, 192
CLASSIFICATION_RECIPE = Recipe(steps=1500, batch=64, learning_rate=3e-3, weight_decay=0.05)
DETECTION_RECIPE = Recipe(steps=1200, batch=16, learning_rate=4e-3, weight_decay=0.02)


@dataclass(frozen=True)
class _Own:
    """A data set kept at one size.

    Attributes:
        name: The task's name: the data set's.
        store: The data set, decoded.
        image_size: Side of an image in pixels.
        recipe: How the cloud model is trained.
    """

    name: str
    store: Store
    image_size: int
    recipe: Recipe
    natural: bool = field(default=True, init=False)

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes' names."""
        return self.store.index.classes

    def data(self, split: SplitName) -> DataSplit:
        """Return one split of the data set."""
        return self.store.split(split)

    def fingerprint(self) -> dict[str, Any]:
        """Return what shapes data and model: the data set's digest, the image size and the recipe."""
        return {
            "task": self.name,
            "recipe": asdict(self.recipe),
            "image_size": self.image_size,
            "model": {"stem": STEM, "stages": STAGES},
            "data": self.store.index.digest,
        }

    def cloud_model(self) -> nn.Module:
        """Return the untrained model, seeded: (b, 3, H, W) to a tuple of raw outputs."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(SEED)
            model = self._model()
        return model.to(memory_format=torch.channels_last)

    def _model(self) -> nn.Module:
        raise NotImplementedError


@dataclass(frozen=True)
class OwnClassification(_Own, Classifying):
    """Pictures and the class of each; quality is top-1."""

    def _model(self) -> nn.Module:
        return Classifier(STEM, STAGES, len(self.classes), PLACES)


@dataclass(frozen=True)
class OwnDetection(_Own, Detecting):
    """Pictures and the boxes on them; quality is COCO's mAP."""

    stride: int = field(default=STRIDE, init=False)

    def _model(self) -> nn.Module:
        return Detector(STEM, STAGES, len(self.classes), HEAD_CONVS)


OwnTask = OwnClassification | OwnDetection
KINDS: dict[type, str] = {OwnClassification: "classification", OwnDetection: "detection"}
"""What ``--task`` calls them."""


def own_task(path: Path, form: str | None, side: int | None, cache: Path, reporter: Reporter) -> OwnTask:
    """Return the task of a data set, which is decoded into the cache where it is not yet.

    Args:
        path: The data set.
        form: Its format; recognised unless given.
        side: Side of the model's input in pixels; 64 for whole pictures and 192 for boxes unless given.
        cache: Folder of decoded data sets.
        reporter: Hears of the decoding.

    Raises:
        UserError: the data set cannot be used.
    """
    listing = listed(path, form)
    side = side or (DETECTION_SIDE if listing.detection else CLASSIFICATION_SIDE)
    store = stored(listing, side, SEED, cache, reporter)
    if listing.detection:
        return OwnDetection(path.stem, store, side, DETECTION_RECIPE)
    return OwnClassification(path.stem, store, side, CLASSIFICATION_RECIPE)
