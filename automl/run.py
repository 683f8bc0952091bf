"""Run: from the user's settings to a refined front on disk."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

from automl.blueprint import Blueprint, blueprint
from automl.finalists import Finals
from automl.forecast import Left, forecast, left_of
from automl.keeper import Keeper
from automl.reporter import Reporter
from automl.run_reader import note_run
from automl.search import Outcome, never
from automl.settings import RunSettings
from automl.study import Study
from automl.taught import taught_supernet
from automl.trial import Candidate, Trial
from automl.workers import Workers
from evaluators.measurement import Measurement
from results.hypervolume import hypervolume
from results.outcome import write_outcome
from results.pareto import pareto_set
from results.record import RunInfo, TrialRecord
from search_spaces.config import Config


@dataclass(frozen=True)
class RunResult:
    """How a run ended.

    Attributes:
        info: The run's facts.
        records: Every measured trial.
        outcome: Why the search ended.
        plan: What the run was.
    """

    info: RunInfo
    records: list[TrialRecord]
    outcome: Outcome
    plan: Blueprint


def run(settings: RunSettings, reporter: Reporter, accept: frozenset[str] = frozenset()) -> RunResult:
    """Start a run or continue it to its budget, refine the front and write what comes out.

    Args:
        settings: What the user chose.
        reporter: Hears of everything.
        accept: What may have changed since the run began: ``"versions"``, ``"threads"``.

    Raises:
        UserError: settings that cannot be met, or another run under the same name.
        KeyboardInterrupt: before or after the search; the same settings continue it.
    """
    torch.set_num_threads(settings.cores)
    plan = blueprint(settings)
    settings.check_storage()
    study = open_study(plan, accept)
    study.note_process()
    info = plan.info()
    note_run(settings.where, settings.name, info, plan.space.layout)
    settings.save()
    left = left_of(plan, study.records(), info)
    _announce(plan, study, left, reporter)
    trial = trial_of(plan, reporter)
    watch = _Watch(study, info, plan, reporter)
    beside = min(settings.workers, left.measurements) - 1
    try:
        outcome = _work(plan, study, trial, watch, reporter, beside)
    finally:
        # Whatever ends the finals early, the search's own result is there to be read.
        records = study.records()
        write_outcome(records, info, settings.folder.path)
    study.note_process(outcome.reason)
    return RunResult(info, records, outcome, plan)


def _work(plan: Blueprint, study: Study, trial: Trial, watch: _Watch, reporter: Reporter, beside: int) -> Outcome:
    """Work on the run to its end, in this process and ``beside`` it in others."""
    timeout = plan.settings.timeout
    with Workers(_worker_command(plan, timeout), beside) as workers:
        outcome = work_here(plan, study, trial, watch.look, reporter, timeout)
        if outcome.reason == "interrupted":
            workers.interrupt()
    if outcome.reason != "interrupted" and any(workers.codes):
        reporter.say(f"Workers ended with exit codes {', '.join(map(str, workers.codes))}; this one did the rest.")
    return outcome


def _worker_command(plan: Blueprint, timeout: float | None) -> list[str]:
    folder = plan.settings.folder
    # A worker takes a while to start, and ends when the others do.
    deadline = [] if timeout is None else [str(time.time() + timeout)]
    command = [sys.executable, "-m", "automl.cli.worker", str(folder.root), folder.name, str(os.getpid())]
    return command + deadline


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


def trial_of(plan: Blueprint, reporter: Reporter) -> Trial:
    """Return what measures the run's configurations, with the supernet loaded or taught."""
    return Trial(plan.task, taught_supernet(plan, reporter), plan.distilling)


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
    validation = plan.task.data("validation")
    latest: list[Candidate] = []

    def measure(config: Config, seed: int) -> Measurement:
        latest[:] = [trial.candidate(config, seed)]
        return trial.measured(latest[0], validation)

    def told(record: TrialRecord) -> None:
        records = study.records()
        front = {member.number for member in pareto_set(records, plan.settings.objectives)}
        if record.number in front and not trial.supernet.is_cloud_model(record.config):
            keeper.save(record.number, latest[0])
            keeper.drop({other.number for other in records} - front)
        look()

    return study.run(measure, plan.settings.budget, timeout, told, plan.first, plan.anchors(), stop)


def _announce(plan: Blueprint, study: Study, left: Left, reporter: Reporter) -> None:
    done = _count(study.records(), "search")
    size = plan.space.size()
    for change in study.changes:
        reporter.say(f"Going on although {change}; what is measured already stays as it is.")
    reporter.say(f"{plan.settings.name}: {size:,} distinct configurations, {plan.task.metric}, {done} trials done.")
    if plan.settings.budget > size:
        reporter.say(f"The budget of {plan.settings.budget} is more than the space holds: it ends when exhausted.")
    reporter.say(str(forecast(plan, left)))


class _Watch:
    """Reports the trials that have finished since the last look, whoever finished them."""

    def __init__(self, study: Study, info: RunInfo, plan: Blueprint, reporter: Reporter) -> None:
        self._study, self._info, self._plan, self._reporter = study, info, plan, reporter
        records = study.records()
        self._seen = {record.number for record in records}
        self._searching = False
        reporter.stage("plain answers", len(plan.anchors()))
        self._advance(records)

    def look(self) -> None:
        """Report what is new."""
        records = self._study.records()
        fresh = [record for record in records if record.number not in self._seen]
        if not fresh:
            return
        self._seen |= {record.number for record in fresh}
        front, volume = pareto_set(records, self._info.objectives), hypervolume(records, self._info)
        for record in fresh:
            self._reporter.trial(self._info, record, front, volume)
        self._advance(records)

    def _advance(self, records: Sequence[TrialRecord]) -> None:
        done, anchored = _count(records, "search"), _count(records, "anchor")
        if not self._searching and (done or anchored >= len(self._plan.anchors())):
            self._searching = True
            self._reporter.advance(anchored)
            self._reporter.stage("search", self._plan.settings.budget)
        self._reporter.advance(done if self._searching else anchored)


def _count(records: Sequence[TrialRecord], kind: str) -> int:
    return sum(record.kind == kind for record in records)
