"""Rival: one other way to share a model between edge and cloud, and what it answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from evaluators.outcome import Outcome
from results.rival_point import Figures, RivalName, RivalPoint, Settings
from search_spaces.task import SplitName, Task


@dataclass(frozen=True)
class Answer:
    """What one configuration of a rival answered and sent on a data split.

    Attributes:
        outcome: Sample by sample.
        edge_flops: Multiply-adds on the edge for one sample.
    """

    outcome: Outcome
    edge_flops: float

    def figures(self, task: Task) -> Figures:
        """Return what rivals are compared by."""
        quality = task.quality(self.outcome.predictions, self.outcome.targets)
        return Figures(quality, self.edge_flops, float(self.outcome.packet_bytes.mean()))


class Rival(Protocol):
    """One kind of rival. Deterministic: the same settings give the same figures."""

    @property
    def name(self) -> RivalName:
        """What it is called."""
        ...

    def parts(self, measured: Sequence[RivalPoint]) -> list[Settings]:
        """Return what is measured one after the other, given what the rivals before it measured."""
        ...

    def points(self, part: Settings) -> list[RivalPoint]:
        """Return what a part measures on validation."""
        ...

    def answer(self, settings: Settings, split: SplitName) -> Answer:
        """Run the configuration that a point's settings say over a split."""
        ...
