"""Outcome: everything that a run leaves behind, on disk and on the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

from results.comparison import views
from results.files import write_files
from results.hypervolume import hypervolume
from results.pareto import pareto_set, why_empty
from results.record import RunInfo, TrialRecord
from results.rival_point import RivalPoint
from results.rivals_table import NOTE, short_line, view_lines, view_table
from results.summary import summarise, summary_lines
from results.table import run_table
from search_spaces.objective import Constraint


def write_outcome(
    records: Sequence[TrialRecord], info: RunInfo, folder: Path, rivals: Sequence[RivalPoint] = ()
) -> list[Path]:
    """Write pareto.json, pareto.csv and, below ``plots/``, every plot; return their paths."""
    # Drawing is slow to import and only needed here.
    from results.plots import write_plots

    return [*write_files(records, info, folder), *write_plots(records, info, folder / "plots", rivals=rivals)]


def print_outcome(
    console: Console,
    records: Sequence[TrialRecord],
    info: RunInfo,
    constraints: Sequence[Constraint] = (),
    rivals: Sequence[RivalPoint] = (),
    whole: bool = False,
) -> None:
    """Print the front, the plain answers and the summary in words; where the front is empty, why it is.

    Args:
        console: Where.
        records: All trials.
        info: The run.
        constraints: What must hold.
        rivals: What was measured of the rivals.
        whole: Every member has a row, however large the front is.
    """
    front = pareto_set(records, info.objectives)
    if not front:
        console.print(Text(_capital(why_empty(records, constraints)) + "."))
        return
    console.print(run_table(records, front, info, whole))
    console.print()
    compared = views(records, info, rivals) if rivals else []
    lines = [f"Hypervolume {hypervolume(records, info):.4f}.", *outcome_lines(records, front, info)]
    for line in [*lines, *(short_line(view) for view in compared[-1:])]:
        console.print(Text(line))


def print_rivals(
    console: Console, records: Sequence[TrialRecord], info: RunInfo, rivals: Sequence[RivalPoint]
) -> None:
    """Print the search beside its rivals: a table a view, then what they say."""
    compared = views(records, info, rivals)
    for view in compared:
        console.print(view_table(view, info))
    console.print(Text(NOTE, style="dim"))
    console.print()
    for line in [line for view in compared for line in view_lines(view)]:
        console.print(Text(line))


def outcome_lines(records: Sequence[TrialRecord], front: Sequence[TrialRecord], info: RunInfo) -> list[str]:
    """Return the summary in words, one sentence a line."""
    return summary_lines(summarise(records, front, info), info)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
