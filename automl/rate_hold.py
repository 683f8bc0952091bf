"""Rate hold: a weight of the rate term that grows while more bits are sent than at first.

The weight that a trial's few steps were measured with is too light for a finalist's many: what these gain in
quality they would pay for in bytes, out of the place on the front, and the constraints, that the search chose.
"""

from __future__ import annotations

import torch
from torch import Tensor

HEARD = 8
"""Steps whose mean is held: the learning rate has hardly risen in them."""
GAIN = 0.05
"""How much the weight's logarithm moves in a step for each whole share that is sent too much."""
LEAST, MOST = 0.05, 64.0
"""Bounds of a held weight."""


class RateHold:
    """A rate weight that keeps the bits of a sample at what they were in the first steps, or below.

    The weight follows the excess as the multiplier of a constraint does (Rezende & Viola 2018, arXiv 1810.00597),
    and never falls below its first value: fewer bits are no fault.

    Args:
        weight: The rate weight to begin with.
        held: Whether it may move at all.

    Attributes:
        weight: The rate weight of the next step.
        matters: Whether bits need be counted at all.
    """

    def __init__(self, weight: float, held: bool | None) -> None:
        self.weight: float | Tensor = weight
        self._held, self.matters = bool(held), bool(held) or weight > 0
        self._least = max(weight, LEAST)
        self._first: list[Tensor] = []
        self._step: dict[int, Tensor] = {}

    def hear(self, shard: int, bits: Tensor) -> None:
        """Take notice of the bits that a sample takes in one shard of a step's batch."""
        self._step[shard] = bits.detach()

    def follow(self) -> None:
        """End a step: the next one's weight follows what was heard. Nothing of it is read from a device."""
        heard = [self._step.pop(shard) for shard in sorted(self._step)]
        if not (self._held and heard):
            return
        bits = torch.stack(heard).mean()
        if len(self._first) < HEARD:
            self._first.append(bits)
        else:
            self._move(bits / torch.stack(self._first).mean().clamp_min(1e-9) - 1)

    def _move(self, excess: Tensor) -> None:
        before = torch.as_tensor(self.weight, device=excess.device).clamp_min(self._least)
        self.weight = (before * (GAIN * excess.clamp_max(1.0)).exp()).clamp(self._least, MOST)
