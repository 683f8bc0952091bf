"""Standardize: pixels as a published model was trained to read them."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class Standardize(nn.Module):
    """Maps pixels in 0..1 to what a model of torchvision's is trained on.

    Args:
        mean: Of each colour.
        deviation: Of each colour.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, mean: Sequence[float], deviation: Sequence[float]) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("deviation", torch.tensor(deviation).view(1, 3, 1, 1), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Return ``(images - mean) / deviation``; same shape."""
        return (images - self.mean) / self.deviation
