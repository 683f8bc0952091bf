"""Exit heads: small networks that answer from edge features, in the cloud model's own kind of raw outputs."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torchvision.models.detection.fcos import FCOSHead

from search_spaces.arrangement import Arrangement

WIDTH = 48
"""Channels of an exit head's convolutions."""
PLACES = 3
"""Side of the grid of means that a class is told from, so that what stands in the middle is told from the rest."""
SMALL = 6
"""Side from which on an image is not made smaller any more."""


class ClassExit(nn.Module):
    """Convolutions that halve the image while it is large, means over a coarse grid, a linear layer.

    Args:
        shape: Of one sample's features: an image, tokens or a vector.
        classes: How many there are.
    """

    def __init__(self, shape: tuple[int, ...], classes: int) -> None:
        super().__init__()
        self.arrangement = Arrangement.of(shape)
        side = min(self.arrangement.sides)
        self.layers = halving(self.arrangement.channels, max(0, math.ceil(math.log2(side / SMALL))), side)
        places = min(PLACES, side)
        self.pool = nn.AdaptiveAvgPool2d(places)
        self.linear = nn.Linear(WIDTH * places**2, classes)

    def forward(self, features: Tensor) -> tuple[Tensor]:
        """Return class logits (b, K) of features (b, ...)."""
        pooled = self.pool(self.layers(self.arrangement.image(features)))
        return (self.linear(torch.flatten(pooled, 1)),)


class FcosExit(nn.Module):
    """Convolutions down to the detector's own grid, and torchvision's FCOS head without a tower.

    Args:
        channels: Of the features, an image.
        halvings: How often its side is halved to reach the grid.
        classes: How many there are.
    """

    def __init__(self, channels: int, halvings: int, classes: int) -> None:
        super().__init__()
        self.layers = halving(channels, halvings)
        self.head = FCOSHead(WIDTH, 1, classes, 0)

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return logits (b, A, K), box regression (b, A, 4), centerness (b, A, 1) of features (b, c, h, w)."""
        answer = self.head([self.layers(features)])
        return answer["cls_logits"], answer["bbox_regression"], answer["bbox_ctrness"]


def halving(channels: int, times: int, side: int = 3) -> nn.Sequential:
    """Return convolutions that halve an image ``times`` times, and one that does not where none does.

    Args:
        channels: Of the image.
        times: How often.
        side: Of the image; one that is no image has convolutions of one place.
    """
    kernel = 3 if side >= 3 else 1
    layers: list[nn.Module] = []
    for stride in [2] * times or [1]:
        conv = nn.Conv2d(channels, WIDTH, kernel, stride, kernel // 2, bias=False)
        layers += [conv, nn.BatchNorm2d(WIDTH), nn.ReLU()]
        channels = WIDTH
    return nn.Sequential(*layers)
