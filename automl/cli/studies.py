"""eccsearch studies: the runs below a root."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from automl.run_folder import DEFAULT_ROOT

if TYPE_CHECKING:
    from automl.studies import StudySummary


def studies(root: Path = typer.Option(DEFAULT_ROOT, help="The folder that holds the runs.")) -> None:
    """List the runs below a root: task, sampler, trials, front, last change.

    Example: eccsearch studies --root runs
    """
    from rich.console import Console
    from rich.table import Table

    from automl.studies import list_studies

    found = list_studies(root)
    if not found:
        typer.echo(f"no runs below {root}; 'eccsearch run' starts one")
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("name", "task", "sampler", "trials", "front", "state", "last change"):
        # A name is what has to be typed.
        table.add_column(
            heading, justify="right" if heading in ("trials", "front") else "left", no_wrap=heading == "name"
        )
    for summary in found:
        table.add_row(*_row(summary))
    Console().print(table)
    for summary in found:
        if summary.note:
            typer.echo(summary.note, err=True)


def _row(summary: StudySummary) -> tuple[str, ...]:
    changed = summary.changed.strftime("%Y-%m-%d %H:%M")
    if summary.state == "unreadable":
        return summary.name, "", "", "", "", summary.state, changed
    trials = f"{summary.done}/{summary.budget}" if summary.budget else str(summary.done)
    return summary.name, summary.task, summary.sampler, trials, str(summary.front), summary.state, changed
