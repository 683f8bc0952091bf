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
from automl.settings import Own
from automl.tasks.classifying import Classifying
from automl.tasks.detecting import Detecting
from automl.tasks.factory import source_digest
from automl.tasks.models import check_size, classifier, detector, detector_rules
from automl.tasks.rules import Rules
from automl.tasks.weights import weights_digest
from search_spaces.task import DataSplit, Recipe, SplitName

SEED = 0
CLASSIFICATION_SIDE, DETECTION_SIDE = 64, 192
CLASSIFICATION_RECIPE = Recipe(steps=1500, batch=64, learning_rate=3e-3, weight_decay=0.05)
DETECTION_RECIPE = Recipe(steps=1200, batch=16, learning_rate=4e-3, weight_decay=0.02)
TUNED_CLASSIFICATION_RECIPE = Recipe(steps=500, batch=64, learning_rate=5e-4, weight_decay=0.02)
TUNED_DETECTION_RECIPE = Recipe(steps=500, batch=8, learning_rate=1e-3, weight_decay=0.02)
"""From weights: at the rate that suits a start by chance they are forgotten."""


@dataclass(frozen=True)
class _Own:
    """A data set kept at one size.

    Attributes:
        name: The task's name: the data set's.
        store: The data set, decoded.
        image_size: Side of an image in pixels.
        recipe: How the cloud model is trained.
        model: What the cloud model is called.
        weights: What it starts from; None for chance.
    """

    name: str
    store: Store
    image_size: int
    recipe: Recipe
    model: str
    weights: str | None
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
            "model": {
                "name": self.model,
                "source": source_digest(self.model),
                "weights": self.weights and weights_digest(self.model, self.weights),
            },
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
        model = classifier(self.model, len(self.classes), self.weights)
        check_size(self.model, model, self.image_size)
        return model.train()


@dataclass(frozen=True)
class OwnDetection(_Own, Detecting):
    """Pictures and the boxes on them; quality is COCO's mAP."""

    @property
    def rules(self) -> Rules:
        """Those of the detector that the model is or becomes."""
        return detector_rules(self.model, len(self.classes), self.image_size)

    def _model(self) -> nn.Module:
        return detector(self.model, len(self.classes), self.image_size, self.weights)


OwnTask = OwnClassification | OwnDetection
KINDS: dict[type, str] = {OwnClassification: "classification", OwnDetection: "detection"}
"""What ``--task`` calls them."""


def own_task(own: Own, cache: Path, reporter: Reporter) -> OwnTask:
    """Return the task of a data set, which is decoded into the cache where it is not yet.

    Args:
        own: What the user says.
        cache: Folder of decoded data sets.
        reporter: Hears of the decoding.

    Raises:
        UserError: the data set, the model or the weights cannot be used.
    """
    listing = listed(own.data, own.form)
    side = own.image_size or (DETECTION_SIDE if listing.detection else CLASSIFICATION_SIDE)
    store = stored(listing, side, SEED, cache, reporter)
    reporter.say(f"{own.data}: {store.index}")
    kind = OwnDetection if listing.detection else OwnClassification
    return kind(own.data.stem, store, side, _recipe(listing.detection, own.weights), own.model, own.weights)


def _recipe(detection: bool, weights: str | None) -> Recipe:
    if weights is None:
        return DETECTION_RECIPE if detection else CLASSIFICATION_RECIPE
    return TUNED_DETECTION_RECIPE if detection else TUNED_CLASSIFICATION_RECIPE
