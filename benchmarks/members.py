"""Members: a run read back with everything that was kept of it, ready to be measured again."""

from __future__ import annotations

import sys
from collections.abc import Iterator
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
        """Yield everything kept that is not the cloud model itself, by trial number."""
        keeper = Keeper(self.plan.settings.folder.weights)
        for record in self.records:
            if self.trial.supernet.is_cloud_model(record.config):
                continue
            kept = keeper.load(record.config, self.trial.supernet)
            if kept is not None:
                yield Member(record, "search", kept, record.validation)
            refined = keeper.load(record.config, self.trial.supernet, finalist=True) if record.finalist else None
            if refined is not None and record.finalist is not None:
                yield Member(record, "finalist", refined, record.finalist.validation)


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
