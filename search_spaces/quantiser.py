"""Quantiser: uniform, b bits, one learned step a channel, straight-through gradients."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn


class Quantised(NamedTuple):
    """A quantised latent while it is trained.

    Attributes:
        values: What the decoder reads, (b, w, h, w'), float; gradients pass straight through the rounding.
        positions: Where each value lies on the scale of symbols before rounding, 0 to 2^bits - 1, float.
        levels: 2^bits.
    """

    values: Tensor
    positions: Tensor
    levels: int


def quantise(latent: Tensor, log_step: Tensor, bits: int) -> Quantised:
    """Quantise a latent (b, w, h, w') with steps exp(log_step), (w,).

    The step is learned through the rounding as in LSQ (Esser et al. 2020, arXiv 1902.08153).
    """
    levels = 2**bits
    step, middle = log_step.exp().view(-1, 1, 1), zero_position(bits)
    positions = (latent.float() / step + middle).clamp(0, levels - 1)
    rounded = positions + (positions.round() - positions).detach()
    return Quantised((rounded - middle) * step, positions, levels)


def zero_position(bits: int) -> float:
    """Return where zero lies on the scale of symbols.

    It is a symbol of its own, so that what is near zero costs almost nothing; one bit tells the two signs apart.
    """
    return 0.5 if bits == 1 else float(2 ** (bits - 1))


class Quantiser(nn.Module):
    """The edge's last operation: latent to integer symbols."""

    def __init__(self, log_step: Tensor, bits: int) -> None:
        super().__init__()
        self.log_step = nn.Parameter(log_step.detach().clone())
        self.bits = bits

    def forward(self, latent: Tensor) -> Tensor:
        """Return symbols (b, w, h, w'), uint8."""
        return quantise(latent, self.log_step, self.bits).positions.round().to(torch.uint8)

    def soft(self, latent: Tensor) -> Quantised:
        """Return the quantised latent with gradients."""
        return quantise(latent, self.log_step, self.bits)


class Dequantiser(nn.Module):
    """The cloud's first operation: symbols back to values, with the quantiser's own steps."""

    def __init__(self, quantiser: Quantiser) -> None:
        super().__init__()
        self.quantiser = quantiser

    def forward(self, symbols: Tensor) -> Tensor:
        """Return values (b, w, h, w'), float."""
        return (symbols.float() - zero_position(self.quantiser.bits)) * self.quantiser.log_step.exp().view(-1, 1, 1)
