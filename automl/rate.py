"""The rate term: a differentiable entropy of the symbols, given what was coded before them."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from search_spaces.quantiser import Quantised

CONTEXTS = 3
"""Contexts of each channel, alike in size."""
RANKED = 2048
"""Positions, about, from which a channel's thresholds are found: sorting all of them would find nearly the same."""


def entropy_bits(quantised: Quantised) -> Tensor:
    """Return the conditional entropy of one sample's symbols in bits, a scalar with gradients.

    Every position shares its mass between its two nearest symbols (a triangular kernel, as the soft histograms of
    Ustinova and Lempitsky 2016, arXiv 1611.00822), so the histograms over the batch, one a channel and context,
    move with the positions; the entropy is theirs: the code length under one table each. The contexts are a coarser
    kind of those that are shipped, and have no gradients.
    """
    samples, channels = quantised.positions.shape[:2]
    rows = _by_channel(quantised.positions)
    contexts = _contexts(quantised.positions.detach())
    lower = rows.detach().floor().clamp_max(quantised.levels - 2)
    share = rows - lower
    cells = contexts * quantised.levels + lower.long()
    mass = torch.zeros(channels, CONTEXTS * quantised.levels, dtype=rows.dtype, device=rows.device)
    mass = mass.scatter_add(1, cells, 1 - share).scatter_add(1, cells + 1, share)
    mass = mass.view(channels, CONTEXTS, quantised.levels)
    probability = mass / mass.sum(2, keepdim=True).clamp_min(1e-9)
    return -(mass * probability.clamp_min(1e-9).log2()).sum() / samples


def _contexts(positions: Tensor) -> Tensor:
    """Return the context of every symbol: positions (b, C, h, w) -> int64 (C, b * h * w).

    It tells how far the earlier channels are off their means there and around.
    """
    symbols = positions.round()
    deviations = (symbols - symbols.mean((0, 2, 3), keepdim=True)).abs()
    earlier = deviations.cumsum(1) - deviations
    activity = _by_channel(earlier + functional.avg_pool2d(earlier, 3, 1, 1))
    ranked = activity[:, :: max(1, activity.shape[1] // RANKED)].sort(1).values
    at = [ranked.shape[1] * k // CONTEXTS for k in range(1, CONTEXTS)]
    thresholds = torch.stack([ranked[:, place] for place in at], 1).clamp_min(1e-3)
    return (activity[None] > thresholds.T[:, :, None]).sum(0)


def _by_channel(values: Tensor) -> Tensor:
    return values.permute(1, 0, 2, 3).flatten(1)
