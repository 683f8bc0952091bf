"""The rate term: a differentiable entropy of the symbols, as one table a channel would code them."""

from __future__ import annotations

import torch
from torch import Tensor

from search_spaces.quantiser import Quantised


def entropy_bits(quantised: Quantised) -> Tensor:
    """Return the entropy of one sample's symbols in bits, a scalar with gradients.

    Every position shares its mass between its two nearest symbols (a triangular kernel, as the soft
    histograms of Ustinova and Lempitsky 2016, arXiv 1611.00822), so the per-channel histogram over the batch
    moves with the positions; the entropy is that of this histogram: the code length under one table a channel.
    It is an upper bound of the code length that is shipped, whose tables know contexts as well.
    """
    _, channels, height, width = quantised.positions.shape
    rows = quantised.positions.permute(1, 0, 2, 3).reshape(channels, -1)
    lower = rows.detach().floor().clamp_max(quantised.levels - 2)
    share = rows - lower
    index = lower.long()
    mass = torch.zeros(channels, quantised.levels, dtype=rows.dtype)
    mass = mass.scatter_add(1, index, 1 - share).scatter_add(1, index + 1, share)
    probability = mass / rows.shape[1]
    entropy = -(probability * probability.clamp_min(1e-9).log2()).sum(1)
    return entropy.sum() * height * width
