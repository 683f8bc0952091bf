"""``eccsearch refine``: one trial of a run becomes a finalist."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

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
from automl.run_folder import DEFAULT_ROOT

if TYPE_CHECKING:
    from automl.settings import RunSettings
    from results.chooser import Choice
    from results.record import TrialRecord


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
    the one that you want. Of a gate, every share on the front is refined with it.

    Example: eccsearch refine --trial 137
    """
    from automl.run_finder import find_run
    from automl.settings import RunSettings
    from results.chooser import Choice

    settings = RunSettings.load(find_run(root, name))
    choice = Choice(knee, max_bytes, max_edge_flops, min_quality)
    _print(settings, _refined(settings, trial, choice, accepted(accept_versions, accept_threads)))


def _refined(settings: RunSettings, trial: int | None, choice: Choice, accept: frozenset[str]) -> TrialRecord:
    from rich.console import Console

    from automl.cli.searching import terminated_as_interrupted
    from automl.exit_codes import INTERRUPTED
    from automl.live import reporter_for
    from automl.refining import refined_trial

    reporter = reporter_for(Console())
    try:
        with terminated_as_interrupted():
            return refined_trial(settings, trial, choice, reporter, accept)
    except KeyboardInterrupt:
        reporter.say("Interrupted; nothing of the trial is noted, and the same command begins anew.")
        raise typer.Exit(INTERRUPTED) from None
    finally:
        reporter.close()


def _print(settings: RunSettings, record: TrialRecord) -> None:
    from rich.console import Console

    from automl.run_reader import read_run
    from results.panel import trial_panel
    from results.pareto import pareto_set

    info, records = read_run(settings.folder)
    front = {each.number for each in pareto_set(records, info.objectives)}
    Console().print(trial_panel(record, info, record.number in front))
