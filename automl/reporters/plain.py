"""PlainReporter: sparse log lines for an output that is no terminal."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import IO

from automl.reporters.pace import Clock, Pace
from automl.reporters.sink import Sink
from results.naming import byte_count, cut, duration, sent, si
from results.record import RunInfo, TrialRecord

EVERY = 10.0


class PlainReporter:
    """Writes a line when a stage begins and ends, one a trial, and one every 10 s in stages without trials."""

    def __init__(self, stream: IO[str], clock: Clock = time.monotonic) -> None:
        """Write to ``stream``; ``clock`` counts seconds."""
        self._sink, self._clock = Sink(stream), clock
        self._began = self._spoke = clock()
        self._pace: Pace | None = None
        self._trial: str | None = None
        self._has_trials = False

    def stage(self, name: str, total: int) -> None:
        """Begin a stage."""
        self._end_stage()
        self._pace, self._has_trials = Pace(name, total, self._clock), False
        self._line(f"{name}: begins" + (f", {total} steps" if total > 1 else ""))

    def advance(self, done: int, note: str = "") -> None:
        """Say how far the stage is, if a trial has finished or 10 s have passed."""
        if self._pace is None:
            return
        self._pace.advance(done)
        if self._trial is not None:
            self._flush_trial(f"{done}/{self._pace.total} ", self._left())
        elif not self._has_trials and self._clock() - self._spoke >= EVERY:
            self._line(f"{self._pace.name}: {done}/{self._pace.total}{f', {note}' if note else ''}{self._left()}")

    def expect(self, total: int) -> None:
        """Count to ``total`` from now on."""
        if self._pace is not None:
            self._pace.total = total

    def trial(self, info: RunInfo, record: TrialRecord, front: Sequence[TrialRecord], hypervolume: float) -> None:
        """Keep the trial's line until ``advance`` says how many are done."""
        self._flush_trial()
        self._has_trials = True
        measured = record.validation
        self._trial = (
            f"trial {record.number}: {cut(record.config, info.splits)}, {sent(record.config)}: "
            f"{info.metric} {measured.quality:.3f}, {byte_count(measured.bytes)}, edge {si(measured.edge_flops)} "
            f"multiply-adds; front {len(front)}, hypervolume {hypervolume:.4f}"
        )

    def say(self, text: str) -> None:
        """Say one line."""
        self._flush_trial()
        self._line(text)

    def close(self) -> None:
        """End the last stage."""
        self._end_stage()

    def _end_stage(self) -> None:
        self._flush_trial()
        if self._pace is not None:
            self._line(f"{self._pace.name}: {self._pace.end} {duration(self._pace.elapsed)}")
        self._pace = None

    def _flush_trial(self, count: str = "", left: str = "") -> None:
        if self._trial is not None:
            self._line(f"{count}{self._trial}{left}")
        self._trial = None

    def _left(self) -> str:
        left = self._pace.left if self._pace else None
        return f", {duration(left)} left" if left else ""

    def _line(self, text: str) -> None:
        self._spoke = self._clock()
        seconds = int(self._spoke - self._began)
        self._sink.line(f"[{seconds // 60:3d}:{seconds % 60:02d}] {text}")
