"""What the run and resume commands share: the reporter, the end of a run in words, and its exit code."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from automl.run import RunResult
    from automl.settings import RunSettings

INTERRUPTED = 130


def search(settings: RunSettings, quiet: bool, json: bool, accept: frozenset[str] = frozenset()) -> None:
    """Run to the end and print what came out; leave with 130 after Ctrl-C, with the command that continues."""
    from rich.console import Console

    from automl.live import reporter_for
    from automl.run import run

    reporter = reporter_for(Console(), quiet, json)
    try:
        with _terminated_as_interrupted():
            result = run(settings, reporter, accept)
    except KeyboardInterrupt:
        reporter.close()
        _print_continue(settings)
        raise typer.Exit(INTERRUPTED) from None
    finally:
        reporter.close()
    _print_end(settings, result, json)
    if result.outcome.reason == "interrupted":
        _print_continue(settings)
        raise typer.Exit(INTERRUPTED)


def _print_end(settings: RunSettings, result: RunResult, json: bool) -> None:
    from rich.console import Console

    from results.document import document
    from results.outcome import print_outcome

    if json:
        import json as text

        typer.echo(text.dumps({"event": "result", **document(result.records, result.info)}))
        return
    console = Console()
    print_outcome(console, result.records, result.info, result.plan.constraints)
    console.print(_why(result), highlight=False)
    console.print(f"Written to {settings.folder.path}/: pareto.json, pareto.csv, plots/.", highlight=False)


def _why(result: RunResult) -> str:
    outcome = result.outcome
    why = {
        "budget": f"The budget of {outcome.budget} trials is used up.",
        "timeout": f"The time is up after {outcome.done} of {outcome.budget} trials.",
        "exhausted": f"The space is exhausted: all of its configurations are measured ({outcome.done} trials).",
        "interrupted": f"Interrupted after {outcome.done} of {outcome.budget} trials; nothing finished is lost.",
    }
    return why[outcome.reason]


def _print_continue(settings: RunSettings) -> None:
    root = f" --root {settings.root}" if str(settings.root) != "runs" else ""
    typer.echo(f"Continue with: eccsearch resume --name {settings.name}{root}", err=True)


@contextmanager
def _terminated_as_interrupted() -> Iterator[None]:
    """Treat a polite kill (SIGTERM) as Ctrl-C."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
