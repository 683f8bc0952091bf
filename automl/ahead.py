"""Ahead: what the next step learns from is drawn while the step before it is done."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

from evaluators.side_by_side import side_by_side

Drawn = TypeVar("Drawn")


class Ahead(Generic[Drawn]):
    """Draws steps on one thread of its own, one step ahead; law: what it gives is what ``draw`` gives.

    Args:
        draw: Gives what a step learns from, by its number alone.
        steps: The number of steps: none is drawn behind the last.
    """

    def __init__(self, draw: Callable[[int], Drawn], steps: int) -> None:
        self.draw, self._steps = draw, steps
        self._drawing: dict[int, Future[Drawn]] = {}
        # The step's own operators have the other threads.
        self._thread = side_by_side(1, 1)

    def __getitem__(self, step: int) -> Drawn:
        """Return what a step learns from, and begin to draw the next one.

        Raises:
            Exception: whatever ``draw`` raised for this step.
        """
        future = self._drawing.pop(step, None) or self._thread.submit(self.draw, step)
        self._drawing.clear()
        drawn = future.result()
        if step + 1 < self._steps:
            self._drawing[step + 1] = self._thread.submit(self.draw, step + 1)
        return drawn
