"""Bottleneck: encoder and decoder of one split point, whose widths share weights by prefix."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

MAX_BITS = 8
ENCODER_AXES = {"project.weight": 0, "project.bias": 0}
DECODER_AXES = {"expand.weight": 1}


class Encoder(nn.Module):
    """Projects patches of ``stride`` x ``stride`` features to a narrow latent."""

    def __init__(self, channels: int, size: tuple[int, int], width: int, stride: int) -> None:
        super().__init__()
        self.padding = tuple(-side % stride for side in size)
        self.project = nn.Conv2d(channels, width, stride, stride)

    def forward(self, features: Tensor) -> Tensor:
        """Return the latent (b, width, ceil(h / stride), ceil(w / stride)) of features (b, c, h, w)."""
        bottom, right = self.padding
        if bottom or right:
            features = functional.pad(features, (0, right, 0, bottom))
        return self.project(features)


class Decoder(nn.Module):
    """Gives the cloud the features it expects: a linear expansion, then a residual correction."""

    def __init__(self, channels: int, size: tuple[int, int], width: int, stride: int) -> None:
        super().__init__()
        self.size = size
        self.expand = nn.Conv2d(width, channels * stride * stride, 1)
        self.shuffle = nn.PixelShuffle(stride)
        self.correct = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1), nn.ReLU(), nn.Conv2d(channels, channels, 3, padding=1)
        )
        for parameter in self.correct[2].parameters():
            nn.init.zeros_(parameter)

    def forward(self, values: Tensor) -> Tensor:
        """Return features (b, c, h, w) of dequantised values (b, width, ceil(h / stride), ceil(w / stride))."""
        height, width = self.size
        features = self.shuffle(self.expand(values))[:, :, :height, :width]
        return features + self.correct(features)


class Bottleneck(nn.Module):
    """Encoders, decoders and quantiser steps of one split point, one set a stride.

    Args:
        shape: Channels, height and width of the features that cross.
        width: The widest latent; narrower ones are prefixes of it.
        strides: The strides on offer.
    """

    def __init__(self, shape: tuple[int, int, int], width: int, strides: Sequence[int]) -> None:
        super().__init__()
        channels, *size = shape
        side = (size[0], size[1])
        self.encoders = nn.ModuleDict({str(s): Encoder(channels, side, width, s) for s in strides})
        self.decoders = nn.ModuleDict({str(s): Decoder(channels, side, width, s) for s in strides})
        self.log_steps = nn.ParameterDict({str(s): torch.zeros(MAX_BITS, width) for s in strides})

    @torch.no_grad()
    def calibrate(self, features: Tensor) -> None:
        """Start every stride from the principal components of features (b, c, h, w), the optimal linear code."""
        for stride in self.encoders:
            _start_from_components(self.encoders[stride], self.decoders[stride], features)
            spread = self.encoders[stride](features).std(dim=(0, 2, 3)).clamp_min(1e-6)
            for bits in range(1, MAX_BITS + 1):
                self.log_steps[stride][bits - 1] = (_step_in_deviations(bits) * spread).log()


def _step_in_deviations(bits: int) -> float:
    """Return the near-optimal uniform step for a Gaussian, in standard deviations (Max 1960), up to 4 bits.

    Wider quantisers cover about four deviations on either side.
    """
    return {1: 1.596, 2: 0.996, 3: 0.586, 4: 0.335}.get(bits, 8.0 / 2**bits)


def _start_from_components(encoder: nn.Module, decoder: nn.Module, features: Tensor) -> None:
    project, expand = encoder.get_submodule("project"), decoder.get_submodule("expand")
    assert isinstance(project, nn.Conv2d) and isinstance(expand, nn.Conv2d)
    assert project.bias is not None and expand.bias is not None
    stride, width = project.stride[0], project.out_channels
    height, wide = (side - side % stride for side in features.shape[-2:])
    patches = functional.pixel_unshuffle(features[:, :, :height, :wide], stride)
    rows = patches.permute(0, 2, 3, 1).flatten(0, 2).double()
    mean = rows.mean(0)
    _, vectors = torch.linalg.eigh((rows - mean).T @ (rows - mean) / len(rows))
    components = torch.zeros(width, rows.shape[1], dtype=rows.dtype)
    usable = min(width, rows.shape[1])
    components[:usable] = vectors.flip(1).T[:usable]
    project.weight.copy_(components.view(width, -1, stride, stride))
    project.bias.copy_(-(components @ mean))
    expand.weight.copy_(components.T[:, :, None, None])
    expand.bias.copy_(mean)
