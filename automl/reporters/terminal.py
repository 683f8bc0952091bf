"""RichReporter: the live view in a terminal."""

from __future__ import annotations

import time
from collections.abc import Sequence

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from automl.reporters.pace import Clock, Pace
from results.naming import byte_count, cut, duration, sent, si
from results.record import RunInfo, TrialRecord
from results.table import compact_table

ROWS = 10
CHROME = 9


class RichReporter:
    """Shows the stage with its time left, the last trial, the hypervolume and the front so far.

    What is said, and every stage that ends, stays above the view; the view itself goes when the run ends.
    """

    def __init__(self, console: Console, clock: Clock = time.monotonic) -> None:
        """Show on ``console``; nothing is drawn before the first stage."""
        self._console, self._clock = console, clock
        self._pace: Pace | None = None
        self._note = ""
        self._trial: tuple[RunInfo, TrialRecord, Sequence[TrialRecord], float] | None = None
        self._live = Live(
            console=console, get_renderable=self.view, refresh_per_second=2, transient=True, redirect_stdout=False
        )

    def stage(self, name: str, total: int) -> None:
        """Begin a stage; the one before stays above as a line."""
        self._end_stage()
        self._pace, self._note = Pace(name, total, self._clock), ""
        self._live.start(refresh=True)

    def advance(self, done: int, note: str = "") -> None:
        """Move the bar."""
        if self._pace is not None:
            self._pace.advance(done)
        self._note = note

    def expect(self, total: int) -> None:
        """Let the bar end at ``total`` from now on."""
        if self._pace is not None:
            self._pace.total = total

    def trial(self, info: RunInfo, record: TrialRecord, front: Sequence[TrialRecord], hypervolume: float) -> None:
        """Show the trial, the front and the hypervolume."""
        self._trial = (info, record, list(front), hypervolume)

    def say(self, text: str) -> None:
        """Print one line above the view."""
        self._console.print(Text(text))

    def close(self) -> None:
        """End the last stage and take the view away."""
        self._end_stage()
        self._live.stop()

    def view(self) -> RenderableType:
        """Return what the view shows now."""
        parts: list[RenderableType] = []
        if self._pace is not None:
            parts.append(_bar(self._pace))
            if self._note:
                parts.append(Text(self._note, style="dim", no_wrap=True, overflow="ellipsis"))
        if self._trial is not None:
            info, record, front, volume = self._trial
            parts += [Text(), _last(info, record), _standing(front, volume)]
            rows = min(ROWS, self._console.size.height - CHROME)
            if rows > 0 and front:
                parts.append(compact_table(front, info, rows))
        return Group(*parts)

    def _end_stage(self) -> None:
        if self._pace is not None:
            mark = ("✓ ", "green") if self._pace.share == 1 else ("– ", "yellow")
            end = f"  {self._pace.end} {duration(self._pace.elapsed)}"
            self._console.print(Text.assemble(mark, self._pace.name, (end, "dim")))
        self._pace = None


def _bar(pace: Pace) -> Table:
    grid = Table.grid(padding=(0, 1))
    grid.add_column(no_wrap=True, style="bold", max_width=26, overflow="ellipsis")
    grid.add_column(width=20)
    grid.add_column(no_wrap=True, justify="right")
    grid.add_column(no_wrap=True, style="dim")
    left = f"{duration(pace.left)} left" if pace.left is not None else f"{duration(pace.elapsed)} so far"
    bar = ProgressBar(total=max(pace.total, 1), completed=pace.done, width=20)
    grid.add_row(Text(pace.name), bar, f"{pace.done}/{pace.total}", left)
    return grid


def _last(info: RunInfo, record: TrialRecord) -> Text:
    measured = record.validation
    text = (
        f"last   trial {record.number}, {cut(record.config, info.splits)}, {sent(record.config)}: "
        f"{info.metric} {measured.quality:.3f}, {byte_count(measured.bytes)}, edge {si(measured.edge_flops)}"
    )
    return Text(text, no_wrap=True, overflow="ellipsis")


def _standing(front: Sequence[TrialRecord], volume: float) -> Text:
    return Text.assemble("front  ", (str(len(front)), "bold"), " members, hypervolume ", (f"{volume:.4f}", "bold"))
