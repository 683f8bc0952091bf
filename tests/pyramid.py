"""A small FCOS with a feature pyramid, and the digits' scenes as its task: taps cross its last cuts together."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from functools import cache

import torch
from torch import nn
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.backbone_utils import BackboneWithFPN
from torchvision.models.detection.fcos import FCOS, FCOSHead
from torchvision.models.resnet import BasicBlock

from automl.tasks.detection import DetectionTask
from automl.tasks.detector_rules import FcosRules
from automl.tasks.one_stage import OneStage

CHANNELS = 32
SIDES = (8, 16, 32)


def _block(given: int, channels: int) -> BasicBlock:
    shortcut = nn.Sequential(nn.Conv2d(given, channels, 1, 2), nn.BatchNorm2d(channels))
    return BasicBlock(given, channels, 2, shortcut)


def small_fcos(classes: int) -> FCOS:
    """Return an FCOS of three levels: two taps at strides 8 and 16, and a pool of the coarser one."""
    stem = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1), nn.BatchNorm2d(8), nn.ReLU())
    stages = OrderedDict(stem=stem, one=_block(8, 12), two=_block(12, 16), three=_block(16, 24))
    pyramid = BackboneWithFPN(nn.Sequential(stages), {"two": "0", "three": "1"}, [16, 24], CHANNELS)
    anchors = AnchorGenerator(tuple((side,) for side in SIDES), ((1.0,),) * len(SIDES))
    head = FCOSHead(CHANNELS, 1, classes, num_convs=1)
    return FCOS(pyramid, classes, anchor_generator=anchors, head=head)


@cache
def _rules(classes: int, image_size: int) -> FcosRules:
    with torch.device("meta"):
        return FcosRules(small_fcos(classes), image_size)


@dataclass(frozen=True)
class PyramidTask(DetectionTask):
    """The built-in scenes, found by the small FCOS."""

    @property
    def rules(self) -> FcosRules:
        return _rules(len(self.classes), self.image_size)

    def cloud_model(self) -> nn.Module:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            model = OneStage(small_fcos(len(self.classes)), FcosRules.outputs)
        return model.to(memory_format=torch.channels_last)
