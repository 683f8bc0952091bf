"""Meeting: where the shards of a batch tell one another what each has found."""

from __future__ import annotations

import threading
import time
from typing import Protocol

from torch import Tensor

LONGEST_WAIT = 300.0
"""Seconds that a shard waits for another one."""
AWAKE = 0.02
"""Seconds that it looks again and again before it sleeps in between: to be woken takes longer than most norms."""
Part = tuple[int, Tensor, Tensor]
"""A shard's number of values a channel, and two figures of each channel, (C,)."""


class Meeting(Protocol):
    """All shards come to one meeting after another, in the same order."""

    def gathered(self, shard: int, part: Part) -> list[Part]:
        """Wait for all shards and return their parts, in their order; valid until this one's next meeting.

        Raises:
            BrokenBarrierError: another shard failed, or does not come here.
        """
        ...

    def fail(self) -> None:
        """Let nobody wait any longer."""
        ...


class ThreadMeeting:
    """A Meeting of threads.

    Args:
        shards: How many come.
    """

    def __init__(self, shards: int) -> None:
        self._arrival = threading.Lock()
        self._arrived = 0
        self._broken = False
        # Two tables in turn: a shard is at most one meeting ahead of one that still reads.
        self._tables: tuple[list[Part | None], ...] = ([None] * shards, [None] * shards)
        self._met = [0] * shards

    def gathered(self, shard: int, part: Part) -> list[Part]:
        """Wait for all shards and return their parts, in their order.

        Raises:
            BrokenBarrierError: another shard failed, or does not come here.
        """
        table = self._tables[self._met[shard] % 2]
        self._met[shard] += 1
        table[shard] = part
        with self._arrival:
            self._arrived += 1
        self._await(self._met[shard] * len(self._met))
        return [each for each in table if each is not None]

    def fail(self) -> None:
        """Let nobody wait any longer."""
        self._broken = True

    def _await(self, arrived: int) -> None:
        began = time.monotonic()
        while self._arrived < arrived:
            waited = time.monotonic() - began
            if self._broken or waited > LONGEST_WAIT:
                self._broken = True
                raise threading.BrokenBarrierError
            time.sleep(0.001 if waited > AWAKE else 0)
