"""What the run and resume commands share: the reporter, the end of a run in words, and its exit code."""

from __future__ import annotations

import shlex
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING

import typer

from automl.exit_codes import INTERRUPTED

if TYPE_CHECKING:
    from automl.reporter import Reporter
    from automl.run import RunResult
    from automl.settings import RunSettings


def search(settings: RunSettings, quiet: bool, json: bool, accept: frozenset[str] = frozenset()) -> None:
    """Run to the end and print what came out; leave with 130 after Ctrl-C, with the command that continues."""
    # Before anything else: whoever has loaded torch may have computed with it.
    fresh = "torch" not in sys.modules
    from rich.console import Console

    from automl.live import reporter_for

    reporter = reporter_for(Console(), quiet, json)
    # What follows is loaded in seconds, on a cold disk in many.
    reporter.say(f"Run '{settings.name}' below {settings.root}/: loading torch.")
    from automl.run import run

    result = None
    try:
        with terminated_as_interrupted():
            result = run(settings, reporter, accept, fresh)
        if json:
            _print_json(result)
    except KeyboardInterrupt:
        reporter.say("Interrupted; nothing finished is lost.")
    finally:
        reporter.close()
    if result is not None and not json:
        _print_end(settings, result)
    if result is None or result.outcome.reason == "interrupted":
        _print_continue(settings)
        raise typer.Exit(INTERRUPTED)


def _print_json(result: RunResult) -> None:
    import json
    from dataclasses import asdict

    from results.document import document

    outcome = asdict(result.outcome)
    typer.echo(json.dumps({"event": "result", "outcome": outcome, **document(result.records, result.info)}))


def _print_end(settings: RunSettings, result: RunResult) -> None:
    from rich.console import Console

    from results.outcome import print_outcome

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
    root = f" --root {shlex.quote(str(settings.root))}" if str(settings.root) != "runs" else ""
    typer.echo(f"Continue with: eccsearch resume --name {settings.name}{root}", err=True)


@contextmanager
def interruptible(reporter: Reporter, words: str) -> Iterator[None]:
    """Leave with 130 after Ctrl-C, with words on what became of it; give the terminal back whatever happens."""
    try:
        with terminated_as_interrupted():
            yield
    except KeyboardInterrupt:
        reporter.say(words)
        raise typer.Exit(INTERRUPTED) from None
    finally:
        reporter.close()


@contextmanager
def terminated_as_interrupted() -> Iterator[None]:
    """Treat a polite kill (SIGTERM) as Ctrl-C."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
