"""The built-in detection task: scanned digits on photographs, found by a small FCOS."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from functools import cache
from typing import Any

import numpy as np
import torch
from torch import nn

from automl.tasks.detecting import Detecting
from automl.tasks.nets import Detector, Stage
from automl.tasks.rules import LevelRules
from automl.tasks.scenes import Scene, SceneStyle, compose
from automl.tasks.sources import CLASSES, SPLITS, source
from automl.tasks.splits import Counts, digest, stacked
from search_spaces.task import DataSplit, Recipe, SplitName, Target

STRIDE = 8
STEM = 16
STAGES: tuple[Stage, ...] = ((16, 2), (16, 1), (32, 2), (32, 1), (64, 1), (64, 1))
HEAD_CONVS = 1
STYLE = SceneStyle()
RECIPE = Recipe(steps=1600, batch=16, learning_rate=6e-3, weight_decay=0.02)
COUNTS = Counts(2400, 256, 400)


@dataclass(frozen=True)
class DetectionTask(Detecting):
    """Find and name every digit of an 80 x 80 scene; quality is COCO's mAP.

    Attributes:
        counts: Scenes in each split.
        style: How hard the scenes are.
        recipe: How the cloud model is trained.
        seed: Seeds the scenes and the model's first weights.
    """

    counts: Counts = COUNTS
    style: SceneStyle = STYLE
    recipe: Recipe = RECIPE
    seed: int = 0
    name: str = field(default="detection", init=False)
    classes: tuple[str, ...] = field(default=CLASSES, init=False)

    @property
    def image_size(self) -> int:
        """Side of a scene in pixels."""
        return self.style.size

    @property
    def rules(self) -> LevelRules:
        """FCOS's, on one level."""
        return _rules(self.image_size)

    def data(self, split: SplitName) -> DataSplit:
        """Return one split; the three share no digit scan and no pixel of a photograph."""
        return _scenes(*self._source_of(split))

    def _source_of(self, split: SplitName) -> tuple[SceneStyle, int, SplitName, int]:
        return self.style, self.seed, split, getattr(self.counts, split)

    def fingerprint(self) -> dict[str, Any]:
        """Return what shapes data and model: settings, and the sha256 of every split's content."""
        return {
            "task": self.name,
            "seed": self.seed,
            "recipe": asdict(self.recipe),
            "style": asdict(self.style),
            "model": {"stem": STEM, "stages": STAGES, "head_convs": HEAD_CONVS},
            "data": {split: _digest(*self._source_of(split)) for split in SPLITS},
        }

    def cloud_model(self) -> nn.Module:
        """Return the untrained detector, seeded: (b, 3, H, W) to logits, box regression and centerness."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            model = Detector(STEM, STAGES, len(CLASSES), HEAD_CONVS)
        return model.to(memory_format=torch.channels_last)


@cache
def _rules(image_size: int) -> LevelRules:
    return LevelRules(image_size, STRIDE, len(CLASSES))


@cache
def _scenes(style: SceneStyle, seed: int, split: SplitName, count: int) -> DataSplit:
    material = source(split)
    rng = np.random.default_rng([seed, SPLITS.index(split)])
    scenes = [compose(material, style, rng) for _ in range(count)]
    return stacked(split, [scene.image for scene in scenes], [_target(scene) for scene in scenes])


def _target(scene: Scene) -> Target:
    return {"boxes": torch.from_numpy(scene.boxes), "labels": torch.from_numpy(scene.labels)}


@cache
def _digest(style: SceneStyle, seed: int, split: SplitName, count: int) -> str:
    return digest(_scenes(style, seed, split, count))
