"""Bisection: which plain answers are measured on test to find the cheapest that is as good as the cloud model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf

from results.record import TrialRecord
from results.summary import QualityRule


@dataclass(frozen=True)
class Bisection:
    """A search along a frontier, on which validation's quality rises with the cost.

    Test's may not quite: what is cheaper than the cheapest that is good enough on test, and good enough by
    validation, is measured too, on the frontier or not, so that the cheapest of all was measured on test.

    Attributes:
        frontier: By rising cost.
        others: Those of the same kind that are not on it.
        rule: What is as good as the cloud model.
        cost: What a record costs.
    """

    frontier: Sequence[TrialRecord]
    others: Sequence[TrialRecord]
    rule: QualityRule
    cost: Callable[[TrialRecord], float]

    @property
    def members(self) -> list[TrialRecord]:
        """The records that are measured on test, and the next to be."""
        low, high = self._bounds()
        following = [self.frontier[(low + high) // 2]] if high - low > 1 else self._doubtful()[:1]
        return [*(record for record in (*self.frontier, *self.others) if record.finalist), *following]

    @property
    def left(self) -> int:
        """How many are yet to be measured, at most, by what is known."""
        low, high = self._bounds()
        return (high - low - 1).bit_length() or len(self._doubtful())

    def _doubtful(self) -> list[TrialRecord]:
        """Return those that are good enough by validation and cheaper than test's cheapest, by rising cost."""
        good = [record for record in (*self.frontier, *self.others) if self.rule.met(record)]
        limit = min((self.cost(record) for record in good if record.finalist), default=inf)
        found = [record for record in good if record.finalist is None and self.cost(record) < limit]
        return sorted(found, key=self.cost)

    def _bounds(self) -> tuple[int, int]:
        """Return the places of the dearest that is not good enough and of the cheapest that is."""
        tested = [(place, record) for place, record in enumerate(self.frontier) if record.finalist]
        high = min((place for place, record in tested if self.rule.met(record)), default=len(self.frontier))
        low = max((place for place, record in tested if place < high), default=-1)
        return low, high
