"""Bisection: which plain answers are measured on test to find the cheapest that is as good as the cloud model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from results.record import TrialRecord
from results.summary import QualityRule


@dataclass(frozen=True)
class Bisection:
    """A search along a frontier, on which validation's quality rises with the cost.

    Test's may not quite: what is cheaper than one that is not good enough, and good enough by validation, is
    measured too, so that the cheapest of all was measured on test.

    Attributes:
        frontier: By rising cost.
        rule: What is as good as the cloud model.
    """

    frontier: Sequence[TrialRecord]
    rule: QualityRule

    @property
    def members(self) -> list[TrialRecord]:
        """The records that are measured on test, and the next to be."""
        low, high = self._bounds()
        following = [self.frontier[(low + high) // 2]] if high - low > 1 else self._doubtful(low)[:1]
        return [*(record for record in self.frontier if record.finalist), *following]

    @property
    def left(self) -> int:
        """How many are yet to be measured, at most."""
        low, high = self._bounds()
        return (high - low - 1).bit_length() + len(self._doubtful(low))

    def _doubtful(self, low: int) -> list[TrialRecord]:
        """Return those below the bounds that are good enough by validation, by rising cost."""
        below = self.frontier[: max(low, 0)]
        return [record for record in below if record.finalist is None and self.rule.met(record)]

    def _bounds(self) -> tuple[int, int]:
        """Return the places of the dearest that is not good enough and of the cheapest that is."""
        tested = [(place, record) for place, record in enumerate(self.frontier) if record.finalist]
        high = min((place for place, record in tested if self.rule.met(record)), default=len(self.frontier))
        low = max((place for place, record in tested if place < high), default=-1)
        return low, high
