"""Recalibration of batch-norm statistics after slicing (Yu and Huang 2019, arXiv 1903.05134)."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from search_spaces.placement import device_of


@torch.no_grad()
def recalibrate(model: nn.Module, batches: Iterable[Tensor]) -> None:
    """Replace every batch norm's running statistics by the plain average over ``batches``.

    Args:
        model: Any model; it is left in eval mode.
        batches: Float images (b, 3, H, W).
    """
    norms = [part for part in model.modules() if isinstance(part, _BatchNorm)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None
    model.train()
    for batch in batches:
        model(batch.to(device_of(model)))
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    model.eval()
