"""Run: from the user's settings to a refined front on disk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch

from automl.accelerator import accelerator, make_ready
from automl.blueprint import Blueprint, blueprint
from automl.forecast import forecast, left_of
from automl.reporter import Reporter
from automl.rivals.record import measured_rivals
from automl.run_reader import note_run
from automl.sample_order import check_order
from automl.search import Outcome
from automl.settings import RunSettings
from automl.study import Study
from automl.taught import help_train
from automl.work import open_study, trial_of, work_beside, work_here
from automl.workers import Workers
from results.hypervolume import hypervolume
from results.outcome import write_outcome
from results.pareto import pareto_set
from results.record import RunInfo, TrialRecord
from search_spaces.placement import CPU
from search_spaces.task import Task


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


def run(
    settings: RunSettings,
    reporter: Reporter,
    accept: frozenset[str] = frozenset(),
    fresh: bool = False,
    task: Task | None = None,
) -> RunResult:
    """Start a run or continue it to its budget, refine the front and write what comes out.

    Args:
        settings: What the user chose.
        reporter: Hears of everything.
        accept: What may have changed since the run began: ``"versions"``, ``"threads"``.
        fresh: Nothing was computed in this process before, so workers of one thread can be forked: they need less
            memory and begin sooner.
        task: A task to take instead of the one that the settings name.

    Raises:
        UserError: settings that cannot be met, or another run under the same name.
        KeyboardInterrupt: before or after the search; the same settings continue it.
    """
    # No operator shares its work out before the workers are forked: OpenMP's threads are not forked with them.
    torch.set_num_threads(1)
    settings.check_profile()
    device = accelerator(settings.begun_on)
    make_ready(device)
    settings = replace(settings, device=str(device))
    plan = blueprint(settings, reporter, task)
    settings.check_storage()
    # Data that is there before the workers are need not be made by each of them.
    plan.task.fingerprint()
    check_order(plan.task)
    # A fork cannot use CUDA, and one device is no quicker for several processes that train together.
    beside = device == CPU
    forked = fresh and settings.threads == 1 and beside
    helping = help_train if beside else None
    with Workers(work_beside, (plan,), settings.workers - 1, forked, helping) as workers:
        return _work(plan, reporter, accept, workers)


def _work(plan: Blueprint, reporter: Reporter, accept: frozenset[str], workers: Workers) -> RunResult:
    settings = plan.settings
    study = open_study(plan, accept)
    study.note_process()
    info = plan.info()
    note_run(settings.where, settings.name, info, plan.space.layout)
    settings.save()
    _announce(plan, study, info, reporter)
    trial = trial_of(plan, reporter, workers.crew)
    watch = _Watch(study, info, plan, reporter)
    workers.release()
    try:
        outcome = work_here(plan, study, trial, watch.look, reporter, settings.timeout)
        _end(workers, outcome, reporter)
    finally:
        # Whatever ends the finals early, the search's own result is there to be read.
        records = study.records()
        write_outcome(records, info, settings.folder.path, measured_rivals(settings.folder))
    study.note_process(outcome.reason)
    return RunResult(info, records, outcome, plan)


def _end(workers: Workers, outcome: Outcome, reporter: Reporter) -> None:
    if outcome.reason == "interrupted":
        reporter.say("Interrupted: the workers end, and what is finished is written.")
        workers.interrupt()
    workers.join()
    if outcome.reason != "interrupted" and workers.failure:
        reporter.say(workers.failure)


def _announce(plan: Blueprint, study: Study, info: RunInfo, reporter: Reporter) -> None:
    records = study.records()
    done = _count(records, "search")
    size = plan.space.size()
    for change in study.changes:
        reporter.say(f"Going on although {change}; what is measured already stays as it is.")
    reporter.say(f"{plan.settings.name}: {size:,} distinct configurations, {plan.task.metric}, {done} trials done.")
    if plan.settings.budget > size:
        reporter.say(f"The budget of {plan.settings.budget} is more than the space holds: it ends when exhausted.")
    reporter.say(str(forecast(plan, left_of(plan, records, info))))


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
