"""Detectors: those of torchvision's that ``--model`` names as a whole, backbone, pyramid and head."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import cache
from typing import Any

import torch
from torch import nn
from torchvision import models
from torchvision.models import detection
from torchvision.models.detection.fcos import FCOS
from torchvision.models.detection.retinanet import RetinaNet
from torchvision.models.detection.ssd import SSD

from automl.tasks.detector_rules import FcosRules, RetinaNetRules, SsdRules
from automl.tasks.one_stage import OneStage, OneStageRules
from automl.tasks.weights import with_weights
from deploy.errors import UserError

RULES: dict[type[nn.Module], type[OneStageRules]] = {FCOS: FcosRules, RetinaNet: RetinaNetRules, SSD: SsdRules}
"""The kinds that can be searched."""


def is_detector(name: str) -> bool:
    """Return whether a name is that of a detector of torchvision's, of whatever kind."""
    return name in models.list_models(module=detection)


def detector_names() -> list[str]:
    """Return the detectors that can be searched."""
    return [name for name in models.list_models(module=detection) if _kind(name) in RULES]


def one_stage(name: str, classes: int, weights: str | None) -> nn.Module:
    """Return a detector's layers: images (b, 3, H, W) in 0..1 to its head's outputs.

    Args:
        name: The detector.
        classes: How many there are, background aside.
        weights: Of the whole detector; None for chance.

    Raises:
        UserError: it has two stages, or weights that are not its own.
    """
    rules, model = _rules(name), _built(name, classes)
    heads = len(model.head.classification_head.module_list) if isinstance(model, SSD) else 1
    return OneStage(with_weights(model, name, weights, heads), rules.outputs)


@cache
def rules_of(name: str, classes: int, image_size: int) -> OneStageRules:
    """Return what a detector's raw outputs mean.

    Raises:
        UserError: it has two stages.
    """
    rules = _rules(name)
    with torch.device("meta"):
        return rules(_built(name, classes), image_size)


def _rules(name: str) -> type[OneStageRules]:
    kind = _kind(name)
    if kind not in RULES:
        raise UserError(
            f"--model {name}: its second stage runs on the regions that the first one finds in an image, which no "
            f"chain of blocks does; detectors of one stage can be searched: {', '.join(detector_names())}"
        )
    return RULES[kind]


def _built(name: str, classes: int) -> nn.Module:
    # Of these kinds SSD alone counts the background.
    counted = classes + 1 if _kind(name) is SSD else classes
    model: nn.Module = models.get_model(name, weights=None, weights_backbone=None, num_classes=counted)
    return model


def _kind(name: str) -> type[nn.Module]:
    kind: type[nn.Module] = class_of(models.get_model_builder(name))
    return kind


def class_of(build: Callable[..., Any]) -> Any:
    """Return the class of what a builder of torchvision's builds: what it says it returns."""
    found = inspect.signature(build).return_annotation
    return getattr(inspect.getmodule(build), found) if isinstance(found, str) else found
