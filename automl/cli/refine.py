"""``eccsearch refine``: one trial of a run becomes a finalist."""

from __future__ import annotations

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
from automl.cli.show import show
from automl.run_folder import DEFAULT_ROOT


def refine(
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
    """Distil one trial for as long as a finalist and measure it on test, once.

    A run refines the most telling members of its front by itself; this is for
    the one that you want, and measures the cloud model beside it. Of a gate, every
    share on the front is refined with it.

    Example: eccsearch refine --trial 137
    """
    from rich.console import Console

    from automl.cli.searching import interruptible
    from automl.live import reporter_for
    from automl.refining import refined_trial
    from automl.run_finder import find_run
    from automl.settings import RunSettings
    from results.chooser import Choice

    settings = RunSettings.load(find_run(root, name))
    choice = Choice(knee, max_bytes, max_edge_flops, min_quality)
    accept = accepted(accept_versions, accept_threads)
    reporter = reporter_for(Console())
    with interruptible(reporter, "Interrupted; what is not noted yet begins anew with the same command."):
        record = refined_trial(settings, trial, choice, reporter, accept)
    show(record.number, settings.name, root)
