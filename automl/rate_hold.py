"""Rate hold: a weight of the rate term that grows while more bits are sent than at first.

The weight that a trial's few steps were measured with is too light for a finalist's many: what these gain in
quality they would pay for in bytes, out of the place on the front, and the constraints, that the search chose.
"""

from __future__ import annotations

import math

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
    """

    def __init__(self, weight: float, held: bool | None) -> None:
        self.weight, self._held = weight, bool(held)
        self._least = max(weight, LEAST)
        self._first: list[float] = []
        self._step: dict[int, float] = {}

    @property
    def matters(self) -> bool:
        """Whether bits need be counted at all."""
        return self._held or self.weight > 0

    def hear(self, shard: int, bits: Tensor) -> None:
        """Take notice of the bits that a sample takes in one shard of a step's batch."""
        self._step[shard] = float(bits.detach())

    def follow(self) -> None:
        """End a step: the next one's weight follows what was heard."""
        heard = [self._step.pop(shard) for shard in sorted(self._step)]
        if not (self._held and heard):
            return
        bits = sum(heard) / len(heard)
        if len(self._first) < HEARD:
            self._first.append(bits)
        else:
            self._move(HEARD * bits / max(sum(self._first), 1e-9) - 1)

    def _move(self, excess: float) -> None:
        moved = max(self.weight, self._least) * math.exp(GAIN * min(excess, 1.0))
        self.weight = min(max(moved, self._least), MOST)
