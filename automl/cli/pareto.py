"""``eccsearch pareto``: the front of a run, or the one member that is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from automl.cli.choosing import (
    KneeOption,
    MaxBytesOption,
    MaxEdgeFlopsOption,
    MinQualityOption,
    NameOption,
    RootOption,
    StorageOption,
)
from automl.run_folder import DEFAULT_ROOT
from deploy.errors import UserError

if TYPE_CHECKING:
    from results.chooser import Choice
    from results.record import RunInfo, TrialRecord


def pareto(
    name: NameOption = None,
    root: RootOption = DEFAULT_ROOT,
    storage: StorageOption = None,
    csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    knee: KneeOption = False,
    max_bytes: MaxBytesOption = None,
    max_edge_flops: MaxEdgeFlopsOption = None,
    min_quality: MinQualityOption = None,
    whole: Annotated[bool, typer.Option("--all", help="Print every member of a large front.")] = False,
) -> None:
    """Print the Pareto set of a run beside the plain answers, or pick one member of it.

    Example: eccsearch pareto --max-bytes 200
    """
    from automl.run_finder import named_run
    from automl.run_reader import read_run
    from results.chooser import Choice

    if csv and json:
        raise UserError("--csv and --json exclude each other: give one of them")
    folder = named_run(root, name, storage)
    info, records = read_run(folder, storage)
    choice = Choice(knee, max_bytes, max_edge_flops, min_quality)
    if choice.asked:
        _print_chosen(records, info, choice, csv, json)
    elif csv or json:
        from results.files import csv_text, json_text

        typer.echo((csv_text if csv else json_text)(records, info), nl=False)
    else:
        from rich.console import Console

        from automl.rivals.record import measured_rivals
        from automl.run_reader import read_constraints
        from results.outcome import print_outcome

        constraints, rivals = read_constraints(folder, storage), measured_rivals(folder)
        print_outcome(Console(), records, info, constraints, rivals, whole)


def _print_chosen(records: list[TrialRecord], info: RunInfo, choice: Choice, as_csv: bool, as_json: bool) -> None:
    from rich.console import Console

    from results.chooser import choose
    from results.files import record_csv, record_json
    from results.panel import trial_panel
    from results.pareto import pareto_set

    chosen = choose(pareto_set(records, info.objectives), choice, info)
    if as_csv or as_json:
        typer.echo((record_csv if as_csv else record_json)(chosen), nl=False)
        return
    console = Console()
    console.print(f"[bold]{choice}[/bold]: trial {chosen.number}", highlight=False)
    console.print(trial_panel(chosen, info, on_front=True))
