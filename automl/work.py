"""Work: what every process of a run does, the one that the user started and the workers beside it."""

from __future__ import annotations

from collections.abc import Callable

import torch

from automl.accelerator import make_ready
from automl.blueprint import Blueprint
from automl.crew import Crew
from automl.exit_codes import INTERRUPTED
from automl.finalists import Finals
from automl.keeper import Keeper
from automl.reporter import Reporter
from automl.reporters.quiet import QuietReporter
from automl.search import Outcome, never
from automl.study import Study
from automl.taught import taught_supernet
from automl.trial import Measured, Trial
from automl.workers import Orphaned
from evaluators.measurement import Measurement
from results.pareto import pareto_set
from results.record import TrialRecord
from search_spaces.config import Config


def open_study(plan: Blueprint, accept: frozenset[str] = frozenset()) -> Study:
    """Create the run's study or continue it.

    Raises:
        UserError: its storage cannot be used, or it was made with something else.
    """
    settings = plan.settings
    return Study.open(
        settings.where,
        settings.name,
        plan.space,
        plan.objectives,
        plan.constraints,
        settings.sampler,
        settings.seed,
        plan.identity(),
        accept,
    )


def trial_of(
    plan: Blueprint, reporter: Reporter, crew: Crew | None = None, device: torch.device | None = None
) -> Trial:
    """Return what measures the run's configurations, with the supernet loaded or taught.

    Args:
        plan: The run.
        reporter: Hears of what is trained.
        crew: Workers that can help.
        device: Where the configurations run; on the run's own unless given.
    """
    place = plan.device if device is None else device
    make_ready(place)
    supernet = taught_supernet(plan, reporter, crew).to(place)
    return Trial(plan.task, supernet, plan.distilling, plan.settings.profile)


def work_here(
    plan: Blueprint,
    study: Study,
    trial: Trial,
    look: Callable[[], None],
    reporter: Reporter,
    timeout: float | None,
    stop: Callable[[], bool] = never,
) -> Outcome:
    """Search in this process until the budget, the time or the space is used up, then refine finalists.

    Args:
        plan: The run.
        study: Its study.
        trial: Measures configurations.
        look: Called with every trial that this process finishes, and when the search is over.
        reporter: Hears of the finalists.
        timeout: Seconds after which no trial is begun.
        stop: Asked before every trial and finalist; True ends the work.
    """
    torch.set_num_threads(plan.settings.threads)
    keeper = Keeper(plan.settings.folder.weights)
    outcome = _search(plan, study, trial, keeper, look, timeout, stop)
    look()
    if outcome.reason != "interrupted" and plan.settings.effort.finalists:
        Finals(plan, trial, keeper, study, reporter, stop).run()
    return outcome


def _search(
    plan: Blueprint,
    study: Study,
    trial: Trial,
    keeper: Keeper,
    look: Callable[[], None],
    timeout: float | None,
    stop: Callable[[], bool],
) -> Outcome:
    """Search; the front's weights are kept."""
    latest: dict[Config, Measured] = {}

    def measure(config: Config, seed: int) -> Measurement:
        latest.clear()
        latest.update(trial.along(trial.candidate(config, seed), plan.space.along(config)))
        return latest[config].measurement

    def along(config: Config) -> dict[Config, Measurement]:
        return {config: found.measurement for config, found in latest.items()}

    def told(record: TrialRecord) -> None:
        records = study.records()
        front = pareto_set(records, plan.settings.objectives)
        if any(member.config in latest for member in front):
            if not trial.supernet.is_cloud_model(record.config):
                keeper.save([found.candidate for found in latest.values()])
            kept = {member.config.curve for member in front}
            # A curve that is only being noted may yet come onto the front.
            keeper.drop({other.config.curve for other in records if other.kind != "along"} - kept)
        look()

    return study.run(measure, plan.settings.budget, timeout, told, plan.first, plan.anchors(), stop, along)


def work_beside(plan: Blueprint, orphaned: Orphaned) -> int:
    """Work on a run beside the process that began it and taught its supernet; return an exit code.

    Raises:
        UserError: the run or its storage cannot be read.
        KeyboardInterrupt: before the search.
    """
    torch.set_num_threads(plan.settings.threads)
    reporter = QuietReporter()
    study, trial = open_study(plan), trial_of(plan, reporter)
    outcome = work_here(plan, study, trial, _look, reporter, plan.settings.timeout, orphaned)
    return INTERRUPTED if outcome.reason == "interrupted" else 0


def _look() -> None:
    """Report nothing: the process that began the run sees in the study what its workers finish."""
