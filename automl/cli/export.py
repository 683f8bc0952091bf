"""``eccsearch export`` and ``eccsearch verify``: a trial as a bundle, and the proof that it is that trial."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from automl.cli.accepting import AcceptThreadsOption, AcceptVersionsOption, accepted
from automl.cli.choosing import (
    KneeOption,
    MaxBytesOption,
    MaxEdgeFlopsOption,
    MinQualityOption,
    NameOption,
    RootOption,
)
from automl.cli.working import working
from automl.run_folder import DEFAULT_ROOT


def export(
    out: Annotated[Path, typer.Option(help="The bundle's folder.")] = Path("bundle"),
    trial: Annotated[int | None, typer.Option(help="The trial's number.")] = None,
    name: NameOption = None,
    root: RootOption = DEFAULT_ROOT,
    knee: KneeOption = False,
    max_bytes: MaxBytesOption = None,
    max_edge_flops: MaxEdgeFlopsOption = None,
    min_quality: MinQualityOption = None,
    accept_versions: AcceptVersionsOption = False,
    accept_threads: AcceptThreadsOption = False,
) -> None:
    """Write a trial as a bundle that runs without torch.

    Example: eccsearch export --trial 137 --out bundle/
    """
    accept = accepted(accept_versions, accept_threads)
    with working("Exporting ..."):
        from automl.bundling import export_trial
        from automl.run_finder import find_run
        from automl.settings import RunSettings
        from results.chooser import Choice

        choice = Choice(knee, max_bytes, max_edge_flops, min_quality)
        lines = export_trial(RunSettings.load(find_run(root, name)), trial, choice, out, accept)
    typer.echo("\n".join(lines))


def verify(
    bundle: Annotated[Path, typer.Argument(help="The bundle's folder.")],
    root: RootOption = DEFAULT_ROOT,
    accept_versions: AcceptVersionsOption = False,
    accept_threads: AcceptThreadsOption = False,
) -> None:
    """Run the test split through a bundle and show that it is the searched model; exit code 1 if it is not.

    Example: eccsearch verify bundle/
    """
    accept = accepted(accept_versions, accept_threads)
    with working("Running the test split through the bundle ..."):
        from automl.bundling import verify_bundle

        passed, lines = verify_bundle(bundle, root, accept)
    typer.echo("\n".join(lines))
    if not passed:
        raise typer.Exit(1)
