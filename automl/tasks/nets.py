"""The cloud models of the built-in tasks: torchvision's residual blocks under torchvision's heads."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torchvision.models.detection.fcos import FCOSHead
from torchvision.models.resnet import BasicBlock

Stage = tuple[int, int]
"""Output channels and stride of one block."""


class Normalize(nn.Module):
    """Maps pixels in 0..1 to about -1..1."""

    def forward(self, images: Tensor) -> Tensor:
        """Return ``(images - 0.45) * 4``; same shape."""
        return (images - 0.45) * 4.0


class Detector(nn.Module):
    """Residual backbone of one level and torchvision's FCOS head (Tian et al. 2019, arXiv 1904.01355)."""

    def __init__(self, stem: int, stages: Sequence[Stage], classes: int, head_convs: int) -> None:
        super().__init__()
        self.stem = _stem(stem)
        self.blocks = _blocks(stem, stages)
        self.head = FCOSHead(stages[-1][0], 1, classes, head_convs)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return logits (b, A, K), box regression (b, A, 4), centerness (b, A, 1) of images (b, 3, H, W)."""
        answer = self.head([self.blocks(self.stem(images))])
        return answer["cls_logits"], answer["bbox_regression"], answer["bbox_ctrness"]


class Classifier(nn.Module):
    """Residual backbone (He et al. 2016, arXiv 1512.03385), average pooling and a linear layer.

    The pool keeps a few places apart, so that what stands in the middle is told from what stands around it.
    """

    def __init__(self, stem: int, stages: Sequence[Stage], classes: int, places: int) -> None:
        super().__init__()
        self.stem = _stem(stem)
        self.blocks = _blocks(stem, stages)
        self.pool = nn.AdaptiveAvgPool2d(places)
        self.linear = nn.Linear(stages[-1][0] * places**2, classes)

    def forward(self, images: Tensor) -> tuple[Tensor]:
        """Return the class logits (b, K) of images (b, 3, H, W)."""
        return (self.linear(torch.flatten(self.pool(self.blocks(self.stem(images))), 1)),)


def _stem(channels: int) -> nn.Sequential:
    conv = nn.Conv2d(3, channels, 3, stride=2, padding=1, bias=False)
    nn.init.kaiming_normal_(conv.weight, mode="fan_out", nonlinearity="relu")
    return nn.Sequential(Normalize(), conv, nn.BatchNorm2d(channels), nn.ReLU())


def _blocks(channels: int, stages: Sequence[Stage]) -> nn.Sequential:
    blocks = []
    for width, stride in stages:
        blocks.append(_block(channels, width, stride))
        channels = width
    return nn.Sequential(*blocks)


def _block(channels: int, width: int, stride: int) -> BasicBlock:
    """Return a BasicBlock that starts as its shortcut: its last scale is zero (Goyal et al. 2017, 1706.02677)."""
    shortcut = None
    if stride != 1 or channels != width:
        shortcut = nn.Sequential(nn.Conv2d(channels, width, 1, stride, bias=False), nn.BatchNorm2d(width))
    block = BasicBlock(channels, width, stride, shortcut)
    for module in block.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    nn.init.zeros_(block.bn2.weight)
    return block
