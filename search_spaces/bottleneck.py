"""Bottleneck: encoder and decoder of one split point, whose widths share weights by prefix."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from search_spaces.arrangement import Arrangement
from search_spaces.linear_code import linear_code
from search_spaces.resolution import resized
from search_spaces.slicing import Axis

MAX_BITS = 8
ENCODER_AXES = {"project.weight": Axis(0), "project.bias": Axis(0)}
DECODER_AXES = {"expand.weight": Axis(1)}


class Encoder(nn.Module):
    """Projects patches of ``stride`` x ``stride`` features to a narrow latent.

    Args:
        shape: Of one sample's features: an image, tokens or a vector.
        width: Channels of the latent.
        stride: Side of a patch.
    """

    def __init__(self, shape: tuple[int, ...], width: int, stride: int) -> None:
        super().__init__()
        self.arrangement = Arrangement.of(shape)
        self.padding = tuple(-side % stride for side in self.arrangement.sides)
        self.project = nn.Conv2d(self.arrangement.channels, width, stride, stride)

    def fitted(self, arrangement: Arrangement) -> Encoder:
        """Return this encoder, on the same weights, for features of another size."""
        fitting = copy.copy(self)
        fitting.arrangement = arrangement
        fitting.padding = tuple(-side % self.project.stride[0] for side in arrangement.sides)
        return fitting

    def forward(self, features: Tensor) -> Tensor:
        """Return the latent (b, width, ceil(h / stride), ceil(w / stride)) of features (b, ...)."""
        latent: Tensor = self.project(self.padded(features))
        return latent

    def patches(self, features: Tensor) -> Tensor:
        """Return what each position of the latent sees of the features, (positions, c * stride * stride)."""
        patches = functional.pixel_unshuffle(self.padded(features), self.project.stride[0])
        return patches.permute(0, 2, 3, 1).flatten(0, 2)

    def padded(self, features: Tensor) -> Tensor:
        """Return features as an image (b, c, h, w) of whole patches."""
        image = self.arrangement.image(features)
        bottom, right = self.padding
        return functional.pad(image, (0, right, 0, bottom)) if bottom or right else image


class Decoder(nn.Module):
    """Gives the cloud the features it expects: a linear expansion, then a residual correction.

    Features of a smaller image are brought back between the two, so that the correction sees what the cloud gets.
    """

    def __init__(self, shape: tuple[int, ...], width: int, stride: int) -> None:
        super().__init__()
        self.arrangement = Arrangement.of(shape)
        self.sent_sides = self.arrangement.sides
        channels = self.arrangement.channels
        self.expand = nn.Conv2d(width, channels * stride * stride, 1)
        self.shuffle = nn.PixelShuffle(stride)
        self.correct = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1), nn.ReLU(), nn.Conv2d(channels, channels, 3, padding=1)
        )
        for parameter in self.correct[2].parameters():
            nn.init.zeros_(parameter)

    def fitted(self, arrangement: Arrangement) -> Decoder:
        """Return this decoder, on the same weights, for what was sent of features of another size."""
        fitting = copy.copy(self)
        fitting.sent_sides = arrangement.sides
        return fitting

    def forward(self, values: Tensor) -> Tensor:
        """Return features (b, ...) of dequantised values (b, width, h', w')."""
        height, width = self.sent_sides
        features = self.shuffle(self.expand(values))[:, :, :height, :width]
        if self.sent_sides != self.arrangement.sides:
            features = resized(features, self.arrangement.sides)
        return self.arrangement.features(features + self.correct(features))


class Bottleneck(nn.Module):
    """Encoders, decoders and quantiser steps of one split point, one set a stride.

    Args:
        shape: Of one sample's features that cross: an image, tokens or a vector.
        width: The widest latent; narrower ones are prefixes of it.
        strides: The strides on offer.
    """

    def __init__(self, shape: tuple[int, ...], width: int, strides: Sequence[int]) -> None:
        super().__init__()
        self.shape = shape
        self.encoders = nn.ModuleDict({str(s): Encoder(shape, width, s) for s in strides})
        self.decoders = nn.ModuleDict({str(s): Decoder(shape, width, s) for s in strides})
        self.log_steps = nn.ParameterDict({str(s): torch.zeros(width) for s in strides})
        self.bit_log_steps = nn.ParameterDict({str(s): torch.zeros(MAX_BITS, 1) for s in strides})

    def log_step(self, width: int, stride: int, bits: int) -> Tensor:
        """Return the logarithm of the quantiser's steps, (width,).

        A channel's step and a bit width's add up, so that what one bit width learns serves all of them.
        """
        key = str(stride)
        return self.log_steps[key][:width] + self.bit_log_steps[key][bits - 1]

    @torch.no_grad()
    def calibrate(self, features: Tensor, gradients: Tensor) -> None:
        """Start every stride from the linear code that costs the loss least.

        Args:
            features: (b, ...).
            gradients: The loss's gradient at the features, same shape.
        """
        for stride in self.encoders:
            _start_from_linear_code(self.encoders[stride], self.decoders[stride], features, gradients)
            spread = self.encoders[stride](features).std(dim=(0, 2, 3)).max().clamp_min(1e-6)
            # The latent is scaled by what the loss feels, so equal steps are the optimal ones for the rate.
            self.log_steps[stride].fill_(spread.log())
            steps = [[_step_in_deviations(bits)] for bits in range(1, MAX_BITS + 1)]
            self.bit_log_steps[stride].copy_(torch.tensor(steps).log())


def _step_in_deviations(bits: int) -> float:
    """Return the near-optimal uniform step for a Gaussian, in standard deviations (Max 1960), up to 4 bits.

    Wider quantisers cover about four deviations on either side.
    """
    return {1: 1.596, 2: 0.996, 3: 0.586, 4: 0.335}.get(bits, 8.0 / 2**bits)


def _start_from_linear_code(encoder: nn.Module, decoder: nn.Module, features: Tensor, gradients: Tensor) -> None:
    assert isinstance(encoder, Encoder) and isinstance(decoder, Decoder)
    project, expand = encoder.project, decoder.expand
    assert project.bias is not None and expand.bias is not None
    code = linear_code(encoder.patches(features), encoder.patches(gradients), project.out_channels)
    used = len(code.encode)
    project.weight.zero_()
    project.weight[:used] = code.encode.reshape(used, *project.weight.shape[1:]).float()
    project.bias.zero_()
    project.bias[:used] = -(code.encode @ code.mean).float()
    expand.weight.zero_()
    expand.weight[:, :used] = code.decode[:, :, None, None].float()
    expand.bias.copy_(code.mean)
