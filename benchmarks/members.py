"""Members: a run read back with everything that was kept of it, ready to be measured again."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch

from automl.blueprint import Blueprint, blueprint
from automl.keeper import Keeper
from automl.reporters.plain import PlainReporter
from automl.run_finder import find_run
from automl.run_reader import read_run
from automl.settings import RunSettings
from automl.trial import Candidate, Trial
from automl.work import trial_of
from evaluators.measurement import Measurement
from results.pareto import pareto_set
from results.record import RunInfo, TrialRecord


@dataclass(frozen=True)
class Member:
    """A trial whose weights were kept, as the search left it or as a finalist.

    Attributes:
        record: The trial.
        weights: ``"search"`` or ``"finalist"``.
        candidate: Its weights and tables.
        measured: What the run measured with these weights on validation.
    """

    record: TrialRecord
    weights: str
    candidate: Candidate
    measured: Measurement


@dataclass(frozen=True)
class KeptRun:
    """A finished run: its plan, its trials, and its supernet inside ``trial``."""

    plan: Blueprint
    trial: Trial
    info: RunInfo
    records: list[TrialRecord]

    def members(self) -> Iterator[Member]:
        """Yield what the search kept, then finalists, the cloud model left out; of a gate's curve one member."""
        keeper = Keeper(self.plan.settings.folder.weights)
        for record in _one_a_curve(pareto_set(self.records, self.info.objectives)):
            kept = self._loaded(keeper, record, finalist=False)
            if kept is not None:
                yield Member(record, "search", kept, record.validation)
        for record in _one_a_curve([record for record in self.records if record.finalist]):
            kept = self._loaded(keeper, record, finalist=True)
            if kept is not None and record.finalist is not None:
                yield Member(record, "finalist", kept, record.finalist.validation)

    def _loaded(self, keeper: Keeper, record: TrialRecord, finalist: bool) -> Candidate | None:
        if self.trial.supernet.is_cloud_model(record.config):
            return None
        return keeper.load(record.config, self.trial.supernet, finalist)


def _one_a_curve(records: Iterable[TrialRecord]) -> list[TrialRecord]:
    falling = sorted(records, key=lambda record: record.number, reverse=True)
    return sorted({record.config.curve: record for record in falling}.values(), key=lambda record: record.number)


def kept_run(root: Path, name: str) -> KeptRun:
    """Read a run; its cloud model and supernet come from the cache below ``root``.

    Raises:
        UserError: no such run.
    """
    settings = RunSettings.load(find_run(root, name))
    torch.set_num_threads(settings.threads)
    info, records = read_run(settings.folder, settings.storage)
    plan = blueprint(settings)
    return KeptRun(plan, trial_of(plan, PlainReporter(sys.stderr)), info, records)
