"""``eccsearch resume``: continue a run with the settings that it was started with."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import typer

from automl.cli.accepting import AcceptThreadsOption, AcceptVersionsOption, accepted
from automl.cli.choosing import NameOption, RootOption
from automl.cli.run_options import JsonOption, QuietOption, TimeoutOption
from automl.run_folder import DEFAULT_ROOT


def resume(
    name: NameOption = None,
    root: RootOption = DEFAULT_ROOT,
    budget: Annotated[int | None, typer.Option(min=1, help="A new total of trials.")] = None,
    timeout: TimeoutOption = None,
    accept_versions: AcceptVersionsOption = False,
    accept_threads: AcceptThreadsOption = False,
    quiet: QuietOption = False,
    json: JsonOption = False,
) -> None:
    """Continue the latest run, or the one called --name, to its budget.

    Example: eccsearch resume --name detection --budget 400
    """
    from automl.cli.searching import search
    from automl.cli.values import parse_seconds
    from automl.run_finder import find_run
    from automl.settings import RunSettings

    settings = RunSettings.load(find_run(root, name))
    settings = replace(settings, budget=budget or settings.budget, timeout=parse_seconds(timeout))
    search(settings, quiet, json, accepted(accept_versions, accept_threads))
