"""``eccsearch plot``: the plots of a run as PNG files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from automl.cli.choosing import NameOption, RootOption, StorageOption
from automl.run_folder import DEFAULT_ROOT
from deploy.errors import UserError, unknown


def plot(
    plots: Annotated[
        list[str] | None, typer.Argument(help="front, parallel, hypervolume, importances; all unless given.")
    ] = None,
    name: NameOption = None,
    root: RootOption = DEFAULT_ROOT,
    storage: StorageOption = None,
    out: Annotated[Path | None, typer.Option("--out", help="Folder; the run's own plots/ unless given.")] = None,
) -> None:
    """Write a run's plots: the front, parallel coordinates, the hypervolume over trials, parameter importances.

    Example: eccsearch plot front --name detection
    """
    from automl.rivals.record import measured_rivals
    from automl.run_finder import named_run
    from automl.run_reader import read_run
    from results.plots import PLOTS, write_plots

    for each in plots or []:
        if each not in PLOTS:
            raise unknown("plot", each, PLOTS)
    folder = named_run(root, name, storage)
    info, records = read_run(folder, storage)
    if not records:
        raise UserError(f"run '{info.name}' has nothing to plot: no trial has finished yet")
    drawn = plots or list(PLOTS)
    for path in write_plots(records, info, out or folder.path / "plots", drawn, measured_rivals(folder)):
        typer.echo(str(path))
