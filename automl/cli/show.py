"""``eccsearch show``: everything that is known of one trial."""

from __future__ import annotations

from typing import Annotated

import typer

from automl.cli.choosing import NameOption, RootOption, StorageOption
from automl.run_folder import DEFAULT_ROOT
from deploy.errors import UserError


def show(
    trial: Annotated[int, typer.Argument(help="The trial's number, as the tables print it.")],
    name: NameOption = None,
    root: RootOption = DEFAULT_ROOT,
    storage: StorageOption = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Print one trial: its configuration, what it measured on validation and, if refined, on test.

    Example: eccsearch show 137
    """
    from rich.console import Console

    from automl.run_finder import named_run
    from automl.run_reader import read_run
    from results.files import record_json
    from results.panel import trial_panel
    from results.pareto import pareto_set

    info, records = read_run(named_run(root, name, storage), storage)
    found = [record for record in records if record.number == trial]
    if not found:
        numbers = sorted(record.number for record in records)
        valid = f"{numbers[0]} to {numbers[-1]}" if numbers else "none yet"
        raise UserError(f"run '{info.name}' has no finished trial {trial}; finished: {valid}")
    if json:
        typer.echo(record_json(found[0]), nl=False)
        return
    front = {record.number for record in pareto_set(records, info.objectives)}
    Console().print(trial_panel(found[0], info, trial in front))
