"""Models: the cloud model that ``--model`` names, for any number of classes, with its first weights."""

from __future__ import annotations

import inspect
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torchvision import models
from torchvision.models.detection.fcos import FCOSHead

from automl.tasks.detectors import class_of, detector_names, is_detector, one_stage, rules_of
from automl.tasks.factory import factory_of, is_factory
from automl.tasks.nets import Classifier, Detector, Stage
from automl.tasks.rules import LevelRules, Rules
from automl.tasks.standardize import Standardize
from automl.tasks.weights import with_weights
from deploy.errors import UserError, first_line, unknown
from search_spaces.chain import Chain, chain_of

SMALL = "small"
STEM = 16
STAGES: tuple[Stage, ...] = ((24, 2), (24, 1), (48, 2), (48, 1), (64, 1), (64, 1))
PLACES = 3
SMALL_STRIDE, BACKBONE_STRIDE = 8, 16
GROUPS = 32
"""FCOS's head normalises channels in so many groups, and needs a multiple of it."""
SMALL_HEAD_CONVS, HEAD_CONVS = 1, 2
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of ImageNet's pixels: what torchvision's weights were trained with."""


class ImageClassifier(nn.Module):
    """A classification model of torchvision's that takes pixels and answers as every cloud model does."""

    def __init__(self, name: str, model: nn.Module) -> None:
        super().__init__()
        self.standardize, self.model = Standardize(*pixels_of(name)), model

    def forward(self, images: Tensor) -> tuple[Tensor]:
        """Return the class logits (b, K) of images (b, 3, H, W) in 0..1."""
        return (self.model(self.standardize(images)),)


class LevelDetector(nn.Module):
    """The blocks of a backbone up to one level, and FCOS's head on it (Tian et al. 2019, arXiv 1904.01355)."""

    def __init__(self, blocks: nn.Sequential, channels: int, classes: int) -> None:
        super().__init__()
        wide = -(-channels // GROUPS) * GROUPS
        self.blocks = blocks
        self.neck = nn.Conv2d(channels, wide, 1) if wide != channels else nn.Identity()
        self.head = FCOSHead(wide, 1, classes, HEAD_CONVS)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return logits (b, A, K), box regression (b, A, 4), centerness (b, A, 1) of images (b, 3, H, W)."""
        answer = self.head([self.neck(self.blocks(images))])
        return answer["cls_logits"], answer["bbox_regression"], answer["bbox_ctrness"]


def model_names() -> list[str]:
    """Return what ``--model`` accepts."""
    return [SMALL, *models.list_models(module=models)]


def classifier(name: str, classes: int, weights: str | None) -> nn.Module:
    """Return a classification model: images (b, 3, H, W) in 0..1 to a tuple of logits (b, classes).

    Raises:
        UserError: no such model, a detector, or weights that are not its own.
    """
    if is_detector(name):
        raise UserError(f"--model {name} finds boxes, and the data set has none: name a classification model")
    if name == SMALL:
        model: nn.Module = Classifier(STEM, STAGES, classes, PLACES)
        return with_weights(model, name, weights)
    return ImageClassifier(name, with_weights(_built(name, classes), name, weights))


def check_size(name: str, model: nn.Module, image_size: int) -> None:
    """Check that a model takes images of a size.

    Raises:
        UserError: it does not.
    """
    try:
        with torch.no_grad():
            model.eval()(torch.zeros(1, 3, image_size, image_size))
    except (AssertionError, RuntimeError, ValueError, IndexError) as error:
        reason = first_line(error)
        raise UserError(
            f"--model {name} does not take {image_size} x {image_size} pixels ({reason}): choose --image-size"
        ) from error


def detector(name: str, classes: int, image_size: int, weights: str | None) -> nn.Module:
    """Return a detector: images (b, 3, H, W) in 0..1 to its raw outputs.

    Args:
        name: ``small``, a detector of torchvision's, or a classification model or a factory that is the backbone of
            an FCOS of one level.
        classes: How many there are.
        image_size: Side of the images in pixels.
        weights: Of the backbone where the name is a backbone's, of the whole model for others.

    Raises:
        UserError: no such model, it has two stages or no level of stride 16, or weights that are not its own.
    """
    if is_detector(name):
        return one_stage(name, classes, weights)
    if name == SMALL:
        return with_weights(Detector(STEM, STAGES, classes, SMALL_HEAD_CONVS), name, weights)
    backbone = with_weights(_built(name, 1000), name, weights)
    chain = _cut(name, backbone, image_size)
    side = -(-image_size // BACKBONE_STRIDE)
    level = [i for i, shape in enumerate(chain.shapes) if len(shape) == 3 and shape[1:] == (side, side)]
    if not level:
        raise UserError(f"--model {name} has no features of {side} x {side}, so it cannot be a detector's backbone")
    blocks = nn.Sequential(Standardize(*pixels_of(name)), *chain.blocks[: level[-1] + 1])
    return LevelDetector(blocks, chain.shapes[level[-1]][0], classes)


def _cut(name: str, backbone: nn.Module, image_size: int) -> Chain:
    if image_size % BACKBONE_STRIDE:
        raise UserError(f"--image-size {image_size}: for --model {name} it must be a multiple of {BACKBONE_STRIDE}")
    check_size(name, backbone, image_size)
    return chain_of(backbone, torch.zeros(1, 3, image_size, image_size))


def detector_rules(name: str, classes: int, image_size: int) -> Rules:
    """Return what the raw outputs of ``detector`` mean.

    Raises:
        UserError: the detector has two stages.
    """
    if is_detector(name):
        return rules_of(name, classes, image_size)
    return LevelRules(image_size, SMALL_STRIDE if name == SMALL else BACKBONE_STRIDE, classes)


def pixels_of(name: str) -> tuple[Sequence[float], Sequence[float]]:
    """Return the mean and the deviation by which torchvision prepares pixels for a model; ImageNet's for others."""
    if name not in model_names() or name == SMALL:
        return MEAN, DEVIATION
    prepared = models.get_model_weights(name).DEFAULT.transforms()
    return prepared.mean, prepared.std


def _built(name: str, classes: int) -> nn.Module:
    if is_factory(name):
        return factory_of(name)(num_classes=classes)
    if name not in model_names():
        raise unknown("model", name, [*model_names(), *detector_names()])
    build = models.get_model_builder(name)
    wanted = {
        "weights": None,
        "num_classes": classes,
        "aux_logits": False,
        "init_weights": True,
        "transform_input": True,
    }
    taken = inspect.signature(build).parameters
    kinds = inspect.signature(class_of(build)).parameters if "kwargs" in taken else taken
    model: nn.Module = build(**{key: value for key, value in wanted.items() if key in taken or key in kinds})
    return model
