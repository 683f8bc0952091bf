"""CIFAR's ResNets, as models of one's own.

    PYTHONPATH=benchmarks eccsearch run --data CIFAR/ --image-size 32 --model cifar_resnet:resnet20 --weights r20.th

He et al. 2016 (arXiv 1512.03385), section 4.2: a stem of one 3 x 3 convolution, three stages of n basic blocks with
16, 32 and 64 channels, 6n + 2 layers; a shortcut that changes the shape takes every second pixel and pads the
channels with zeros (option A), so it has no parameters. Parts are named as in these networks' published weights.
"""

from __future__ import annotations

from collections import OrderedDict

from torch import Tensor, nn
from torch.nn import functional
from torchvision.models.resnet import BasicBlock

CHANNELS = (16, 32, 64)


class Padded(nn.Module):
    """The shortcut of option A: every second pixel, and as many channels of zeros on either side."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channels = channels

    def forward(self, features: Tensor) -> Tensor:
        """Return (b, c + 2 channels, h / 2, w / 2) of features (b, c, h, w)."""
        return functional.pad(features[:, :, ::2, ::2], (0, 0, 0, 0, self.channels, self.channels))


def resnet20(num_classes: int) -> nn.Module:
    """Return the network of 20 layers: images (b, 3, 32, 32) to logits (b, num_classes)."""
    return _resnet(3, num_classes)


def resnet56(num_classes: int) -> nn.Module:
    """Return the network of 56 layers: images (b, 3, 32, 32) to logits (b, num_classes)."""
    return _resnet(9, num_classes)


def _resnet(blocks: int, classes: int) -> nn.Module:
    first = CHANNELS[0]
    parts: list[tuple[str, nn.Module]] = [
        ("conv1", nn.Conv2d(3, first, 3, padding=1, bias=False)),
        ("bn1", nn.BatchNorm2d(first)),
        ("relu", nn.ReLU()),
        *((f"layer{stage + 1}", _stage(stage, blocks)) for stage in range(len(CHANNELS))),
        ("pool", nn.AdaptiveAvgPool2d(1)),
        ("flatten", nn.Flatten()),
        ("linear", nn.Linear(CHANNELS[-1], classes)),
    ]
    return nn.Sequential(OrderedDict(parts))


def _stage(stage: int, blocks: int) -> nn.Sequential:
    channels, before = CHANNELS[stage], CHANNELS[max(0, stage - 1)]
    changes = channels != before
    first = BasicBlock(before, channels, 2 if changes else 1, Padded((channels - before) // 2) if changes else None)
    return nn.Sequential(first, *(BasicBlock(channels, channels) for _ in range(blocks - 1)))
