"""Pace: how fast a stage goes and how long it will still take."""

from __future__ import annotations

import time
from collections.abc import Callable

Clock = Callable[[], float]


class Pace:
    """Estimates the time left of one stage from its steps so far.

    The first ``advance`` by more than one step may be what an earlier process had done, so it counts as no speed.
    """

    def __init__(self, name: str, total: int, clock: Clock = time.monotonic) -> None:
        """Begin the stage now."""
        self.name, self.total, self.done = name, total, 0
        self._clock = clock
        self._began = self._marked = clock()
        self._first: tuple[float, int] | None = None

    def advance(self, done: int) -> None:
        """Say that ``done`` steps are done."""
        self.done, self._marked = done, self._clock()
        if self._first is None:
            self._first = (self._marked, done) if done > 1 else (self._began, 0)

    @property
    def share(self) -> float:
        """The share of the stage that is done, 0 to 1."""
        return min(1.0, self.done / self.total) if self.total else 1.0

    @property
    def end(self) -> str:
        """How the stage ends if it ends now, in words that its seconds follow."""
        return "done in" if self.share == 1 else f"ends at {self.done}/{self.total} after"

    @property
    def elapsed(self) -> float:
        """Seconds since the stage began."""
        return self._clock() - self._began

    @property
    def left(self) -> float | None:
        """Seconds until the last step at the pace so far; None while nothing can be said."""
        if self._first is None:
            return None
        since, before = self._first
        if self.done <= before:
            return None
        step = (self._marked - since) / (self.done - before)
        under_way = self._clock() - self._marked
        return max(0.0, step * (self.total - self.done) - under_way)
