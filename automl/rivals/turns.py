"""Turns: which process trains which of the configurations that are left."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator
from contextlib import contextmanager

FREE, DONE = 0, -1
PATIENCE = 5.0
"""Seconds."""


class Turns:
    """One number for each configuration in memory that processes share: free, done, or who has it.

    Args:
        count: How many configurations are left.
    """

    def __init__(self, count: int) -> None:
        context = multiprocessing.get_context("spawn")
        self._lock, self._holders = context.Lock(), context.RawArray("l", count)

    def claim(self, index: int) -> bool:
        """Take a configuration; False where another process has it or had it."""
        with self._held():
            if self._holders[index] == FREE:
                self._holders[index] = os.getpid()
            return self._holders[index] == os.getpid()

    def claim_last(self) -> int | None:
        """Take the last free configuration; None where none is free."""
        with self._held():
            free = self._free()
            if not free:
                return None
            self._holders[free[-1]] = os.getpid()
            return free[-1]

    def finish(self, index: int) -> None:
        """Say that a configuration is done."""
        with self._held():
            self._holders[index] = DONE

    def holder(self, index: int) -> int | None:
        """Return the process that has a configuration; None where none has."""
        holder = int(self._holders[index])
        return None if holder in (FREE, DONE) else holder

    def close(self) -> None:
        """Leave nothing free."""
        with self._held():
            for index in self._free():
                self._holders[index] = DONE

    @contextmanager
    def _held(self) -> Iterator[None]:
        # One that was killed within these few instructions keeps the lock: nobody waits for it for ever.
        held = self._lock.acquire(timeout=PATIENCE)
        try:
            yield
        finally:
            if held:
                self._lock.release()

    def _free(self) -> list[int]:
        return [index for index in range(len(self._holders)) if self._holders[index] == FREE]
