"""``eccsearch rivals``: a run beside other ways to share its model, measured on the same data."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from automl.cli.accepting import AcceptThreadsOption, AcceptVersionsOption, accepted
from automl.cli.choosing import NameOption, RootOption
from automl.run_folder import DEFAULT_ROOT

if TYPE_CHECKING:
    from automl.rivals.known import Challenge
    from automl.settings import RunSettings


def rivals(
    name: NameOption = None,
    root: RootOption = DEFAULT_ROOT,
    json: Annotated[bool, typer.Option("--json", help="Print JSON; the progress goes to stderr.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print the result alone.")] = False,
    accept_versions: AcceptVersionsOption = False,
    accept_threads: AcceptThreadsOption = False,
) -> None:
    """Measure the rivals of a run and print the search beside them.

    Edge-only models, compressed images, plain cuts, confidence cascades, a fixed
    bottleneck: each on the run's data, splits and cloud model, trained as its
    finalists are, by as many processes as the run has (on a GPU by one). What is
    measured is kept: Ctrl-C costs what is in flight, a second call prints at once.

    Example: eccsearch rivals --name detection
    """
    from automl.rivals.known import known_challenge
    from automl.run_finder import find_run
    from automl.settings import RunSettings

    settings = RunSettings.load(find_run(root, name))
    found = known_challenge(settings.folder)
    if found is None:
        found = _measured(settings, json, quiet, accepted(accept_versions, accept_threads))
        _redraw(found, settings.folder.path / "plots")
    (_print_json if json else _print)(found)


def _measured(settings: RunSettings, json: bool, quiet: bool, accept: frozenset[str]) -> Challenge:
    from rich.console import Console

    from automl.cli.searching import interruptible
    from automl.live import reporter_for
    from automl.rivals.challenge import challenge

    reporter = reporter_for(Console(stderr=json), quiet)
    with interruptible(reporter, "Interrupted; what is measured is kept, and the same command goes on."):
        return challenge(settings, reporter, accept)


def _redraw(found: Challenge, folder: Path) -> None:
    from results.plots import write_plots

    write_plots(found.records, found.info, folder, ("front",), found.points)


def _print(found: Challenge) -> None:
    from rich.console import Console

    from results.outcome import print_rivals

    print_rivals(Console(), found.records, found.info, found.points)


def _print_json(found: Challenge) -> None:
    import json

    from results.comparison import views
    from results.rivals_table import rivals_document

    compared = views(found.records, found.info, found.points)
    typer.echo(json.dumps(rivals_document(compared, found.info, found.points), indent=2, allow_nan=False))
