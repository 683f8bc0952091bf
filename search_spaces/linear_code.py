"""LinearCode: the linear encoder and decoder that a bottleneck starts from, optimal for what the loss feels.

An error d in the features changes the loss by about d' F d / 2, where F = E[g g'] is the empirical Fisher matrix of
the features' gradients g (LeCun et al. 1990, "Optimal brain damage", there its diagonal). In the coordinates
F^(1/2) x this is the plain squared error, for which principal components are optimal at every width.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

RIDGE = 0.03
"""Weight of the plain squared error beside the Fisher matrix, whose mean diagonal is scaled to 1."""


@dataclass(frozen=True)
class LinearCode:
    """``latent = encode @ (x - mean)`` and ``x ~ mean + decode @ latent``, the most telling component first.

    Attributes:
        encode: (k, d) float64.
        decode: (d, k) float64.
        mean: (d,) float64.
    """

    encode: Tensor
    decode: Tensor
    mean: Tensor


def linear_code(rows: Tensor, gradients: Tensor, width: int) -> LinearCode:
    """Return the best linear code of min(width, d) components.

    Args:
        rows: Feature vectors (n, d).
        gradients: The loss's gradient at each of them, (n, d).
        width: The most components.
    """
    rows = rows.double()
    mean = rows.mean(0)
    covariance = (rows - mean).T @ (rows - mean) / len(rows)
    root, inverse = _roots(metric(gradients))
    _, vectors = torch.linalg.eigh(root @ covariance @ root)
    components = vectors.flip(1)[:, :width]
    return LinearCode(components.T @ root, inverse @ components, mean)


def metric(gradients: Tensor) -> Tensor:
    """Return how much the loss feels an error, (d, d) float64: Fisher matrix plus ridge, mean diagonal about 1."""
    gradients = gradients.double()
    fisher = gradients.T @ gradients
    scale = fisher.diagonal().mean()
    plain = torch.eye(len(fisher), dtype=fisher.dtype)
    return fisher / scale + RIDGE * plain if scale > 0 else plain


def _roots(matrix: Tensor) -> tuple[Tensor, Tensor]:
    """Return the symmetric square root of a positive matrix and its inverse."""
    values, vectors = torch.linalg.eigh(matrix)
    roots = values.clamp_min(RIDGE / 2).sqrt()
    return vectors * roots @ vectors.T, vectors / roots @ vectors.T
