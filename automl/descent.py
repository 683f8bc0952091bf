"""Descent: one optimiser step under a one-cycle learning rate, with a bound on the gradient's norm."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

from torch import nn
from torch.optim import Optimizer

WARM_SHARE = 0.15
"""Share of the steps in which the learning rate rises."""
CLIP = 5.0
"""Largest norm of a step's gradient."""


def descend(
    optimizer: Optimizer,
    parameters: Sequence[nn.Parameter],
    index: int,
    steps: int,
    apart: Collection[nn.Parameter] = (),
) -> None:
    """Do step ``index`` of ``steps`` along the gradients that are there.

    Args:
        optimizer: Each of its groups names its ``peak`` learning rate.
        parameters: Whose gradients are bounded together.
        index: From 0.
        steps: The number of steps in all.
        apart: Of the parameters those whose gradients are bounded by themselves: they learn beside the others.
    """
    for group in optimizer.param_groups:
        group["lr"] = group["peak"] * one_cycle(index, steps)
    beside = set(map(id, apart))
    nn.utils.clip_grad_norm_([p for p in parameters if id(p) not in beside], CLIP)
    nn.utils.clip_grad_norm_(apart, CLIP)
    optimizer.step()


def one_cycle(index: int, steps: int) -> float:
    """Return the learning rate of a step relative to its peak: a linear rise, then half a cosine to 0.

    Source: Smith & Topin 2018, arXiv 1708.07120.
    """
    warm = max(1, round(steps * WARM_SHARE))
    if index < warm:
        return (index + 1) / warm
    return 0.5 * (1 + math.cos(math.pi * (index + 1 - warm) / max(1, steps - warm)))
