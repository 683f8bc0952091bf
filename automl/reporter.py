"""Reporter: where a run says what it is doing; the terminal, plain lines, JSON and silence are its kinds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from results.record import RunInfo, TrialRecord


class Reporter(Protocol):
    """Receives a run's events in order; never raises, never changes the run."""

    def stage(self, name: str, total: int) -> None:
        """Begin a stage of ``total`` steps, e.g. ``"cloud model"``; ends the one before."""
        ...

    def advance(self, done: int, note: str = "") -> None:
        """Say that ``done`` of the stage's steps are done; ``note`` is short, e.g. ``"loss 0.82"``."""
        ...

    def expect(self, total: int) -> None:
        """Say that the stage has ``total`` steps, by what is known now."""
        ...

    def trial(self, info: RunInfo, record: TrialRecord, front: Sequence[TrialRecord], hypervolume: float) -> None:
        """Say that a trial has finished, and what the front and its hypervolume are now; ``advance`` follows."""
        ...

    def say(self, text: str) -> None:
        """Say one line of words."""
        ...

    def close(self) -> None:
        """End the last stage and give the terminal back."""
        ...
