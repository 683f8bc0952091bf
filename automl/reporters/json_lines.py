"""JsonReporter: one JSON object a line, for machines."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from typing import IO, Any

from automl.reporters.pace import Clock, Pace
from automl.reporters.sink import Sink
from results.document import member
from results.record import RunInfo, TrialRecord

EVERY = 1.0


class JsonReporter:
    """Writes the events ``stage``, ``progress`` (at most one a second), ``trial``, ``say`` and ``end``.

    Every object has ``event`` and ``elapsed``, in seconds since the run began.
    """

    def __init__(self, stream: IO[str], clock: Clock = time.monotonic) -> None:
        """Write to ``stream``; ``clock`` counts seconds."""
        self._sink, self._clock = Sink(stream), clock
        self._began = clock()
        self._pace: Pace | None = None
        self._progressed = float("-inf")

    def stage(self, name: str, total: int) -> None:
        """Write ``stage``."""
        self._pace, self._progressed = Pace(name, total, self._clock), float("-inf")
        self._write("stage", stage=name, total=total)

    def advance(self, done: int, note: str = "") -> None:
        """Write ``progress`` with the seconds left, null while unknown."""
        if self._pace is None:
            return
        self._pace.advance(done)
        if self._clock() - self._progressed < EVERY and done < self._pace.total:
            return
        self._progressed = self._clock()
        left = self._pace.left
        rounded = None if left is None else round(left, 1)
        self._write("progress", stage=self._pace.name, done=done, total=self._pace.total, left=rounded, note=note)

    def expect(self, total: int) -> None:
        """Count to ``total`` from now on."""
        if self._pace is not None:
            self._pace.total = total

    def trial(self, info: RunInfo, record: TrialRecord, front: Sequence[TrialRecord], hypervolume: float) -> None:
        """Write ``trial`` with its record and the numbers of the front's members."""
        numbers = [other.number for other in front]
        self._write("trial", trial=member(record), front=numbers, hypervolume=hypervolume)

    def say(self, text: str) -> None:
        """Write ``say``."""
        self._write("say", text=text)

    def close(self) -> None:
        """Write ``end``."""
        self._write("end")

    def _write(self, event: str, **fields: Any) -> None:
        elapsed = round(self._clock() - self._began, 3)
        self._sink.line(json.dumps({"event": event, "elapsed": elapsed, **fields}))
