"""The built-in detection task: scanned digits on photographs, found by a small FCOS."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from functools import cache
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from automl.tasks import fcos
from automl.tasks.augment import jittered, shifted
from automl.tasks.nets import Detector, Stage
from automl.tasks.scenes import Scene, SceneStyle, compose
from automl.tasks.sources import CLASSES, SPLITS, source
from automl.tasks.splits import Counts, digest, stacked
from evaluators.detection_quality import bootstrap_map, mean_average_precision
from search_spaces.task import DataSplit, Outputs, Prediction, Recipe, SplitName, Target

STRIDE = 8
STEM = 16
STAGES: tuple[Stage, ...] = ((16, 2), (16, 1), (32, 2), (32, 1), (64, 1), (64, 1))
HEAD_CONVS = 1
STYLE = SceneStyle()
RECIPE = Recipe(steps=2200, batch=16, learning_rate=6e-3, weight_decay=0.02)
COUNTS = Counts(2400, 256, 400)


@dataclass(frozen=True)
class DetectionTask:
    """Find and name every digit of a 96 x 96 scene; quality is COCO's mAP.

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
    metric: str = field(default="mAP", init=False)
    classes: tuple[str, ...] = field(default=CLASSES, init=False)

    @property
    def image_size(self) -> int:
        """Side of a scene in pixels."""
        return self.style.size

    @property
    def anchors(self) -> Tensor:
        """The grid's anchors, (A, 4) xyxy."""
        return _anchors(self.image_size)

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

    def augment(
        self, images: Tensor, targets: list[Target], generator: torch.Generator
    ) -> tuple[Tensor, list[Target]]:
        """Return the batch shifted by a few pixels, with its colours, contrast and noise jittered."""
        images, targets = shifted(images, targets, 6, generator)
        return jittered(images, generator), targets

    def task_loss(self, outputs: Outputs, targets: list[Target]) -> Tensor:
        """Return torchvision's FCOS loss."""
        return fcos.detection_loss(outputs, targets, self.anchors)

    def response_loss(self, outputs: Outputs, teacher: Outputs, temperature: float) -> Tensor:
        """Return the distillation loss between raw detector outputs."""
        return fcos.detection_response_loss(outputs, teacher, self.anchors, temperature)

    def predict(self, outputs: Outputs) -> list[Prediction]:
        """Return the detections of each sample, best first."""
        return fcos.detections(outputs, self.anchors, self.image_size)

    def quality(self, predictions: Sequence[Prediction], targets: Sequence[Target]) -> float:
        """Return COCO's mAP, 0 to 1."""
        return mean_average_precision(predictions, targets)

    def bootstrap(
        self, predictions: Sequence[Prediction], targets: Sequence[Target], weights: np.ndarray
    ) -> np.ndarray:
        """Return the mAP (r,) of each resample in ``weights`` (r, n)."""
        return bootstrap_map(predictions, targets, weights)

    def postprocessing(self) -> dict[str, Any]:
        """Return what deploy needs to turn raw outputs into detections."""
        grid = self.image_size // STRIDE
        return {
            "kind": "fcos",
            "strides": [STRIDE],
            "grids": [[grid, grid]],
            "anchor_offset": fcos.ANCHOR_OFFSET,
            "score_threshold": fcos.SCORE_THRESHOLD,
            "nms_threshold": fcos.NMS_THRESHOLD,
            "candidates": fcos.CANDIDATES,
            "detections": fcos.DETECTIONS,
            "image_size": self.image_size,
        }


@cache
def _anchors(image_size: int) -> Tensor:
    return fcos.grid_anchors(image_size // STRIDE, STRIDE)


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
