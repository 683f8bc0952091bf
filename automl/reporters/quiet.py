"""QuietReporter: says nothing while the run goes on."""

from __future__ import annotations

from collections.abc import Sequence

from results.record import RunInfo, TrialRecord


class QuietReporter:
    """For ``--quiet``: only the end result and errors are printed, and not by this."""

    def stage(self, name: str, total: int) -> None:
        """Say nothing."""

    def advance(self, done: int, note: str = "") -> None:
        """Say nothing."""

    def expect(self, total: int) -> None:
        """Say nothing."""

    def trial(self, info: RunInfo, record: TrialRecord, front: Sequence[TrialRecord], hypervolume: float) -> None:
        """Say nothing."""

    def say(self, text: str) -> None:
        """Say nothing."""

    def close(self) -> None:
        """Do nothing."""
