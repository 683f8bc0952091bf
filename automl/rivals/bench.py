"""Bench: what all rivals of a run are measured with: its cloud model, its supernet, its data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property

from automl.blueprint import Blueprint
from automl.exam import as_exported
from automl.finalists import refined
from automl.keeper import Keeper
from automl.rivals.record import rivals_weights
from automl.rivals.rival import Answer
from automl.run_reader import read_identity
from automl.seeds import trial_seed
from automl.trial import Candidate, Trial
from evaluators.flops import EdgeFlops
from evaluators.subject import Subject
from results.record import RunInfo, TrialRecord
from results.rival_point import Settings
from search_spaces.config import Config
from search_spaces.derived import CloudPart, DerivedModel
from search_spaces.task import SplitName

Take = Callable[[Config], None]


def at_once(config: Config) -> None:
    """Return: no other process trains."""


class Bench:
    """Runs configurations of the space as rivals: trained as finalists are, each once.

    Args:
        plan: The run.
        trial: Derives and trains.
        records: What the run measured.
        info: The run's facts.
        take: Called before a configuration is trained here; another process may be at it, or done.
    """

    def __init__(
        self,
        plan: Blueprint,
        trial: Trial,
        records: Sequence[TrialRecord],
        info: RunInfo,
        take: Take = at_once,
    ) -> None:
        self.plan, self.trial, self.records, self.info = plan, trial, records, info
        self._take = take
        self._answers: dict[tuple[Config, SplitName], Answer] = {}
        folder = plan.settings.folder
        self._kept = Keeper(rivals_weights(folder, read_identity(folder)))
        self._finalists = Keeper(folder.weights)

    @cached_property
    def known(self) -> dict[Config, TrialRecord]:
        """The run's trials by configuration."""
        return {record.config: record for record in self.records}

    def answer(self, config: Config, split: SplitName) -> Answer:
        """Return what a canonical configuration answers on a split; what was asked before is remembered."""
        if (config, split) not in self._answers:
            self._answers[config, split] = self._answered(config, split)
        return self._answers[config, split]

    def _answered(self, config: Config, split: SplitName) -> Answer:
        candidate, data = self.candidate(config), self.plan.task.data(split)
        found = self.trial.outcome(candidate, data)
        if split == "test":
            (found,) = as_exported(candidate, [found], data)
        return Answer(found, EdgeFlops().measure(Subject(candidate.derived, self.plan.task, found)))

    def candidate(self, config: Config) -> Candidate:
        """Return a configuration with a finalist's training: a finalist's own, one that is kept, or trained now."""
        if config.split == 0:
            return Candidate(DerivedModel(config, None, self._cloud))
        if self.trial.supernet.is_cloud_model(config):
            return self.trial.candidate(config, 0)
        return self._finalist(config) or self._own(config)

    def trained(self, config: Config) -> bool:
        """Return whether a configuration needs no training any more, or never did."""
        if config.split == 0 or self.trial.supernet.is_cloud_model(config):
            return True
        kept = [self._kept.path(config)]
        if self._has_finalist(config):
            kept.append(self._finalists.path(config, finalist=True))
        return any(path.exists() for path in kept)

    @cached_property
    def _cloud(self) -> CloudPart:
        """The complete cloud model; all image settings share it."""
        return CloudPart(None, None, list(self.trial.supernet.cloud.blocks))

    def _finalist(self, config: Config) -> Candidate | None:
        if not self._has_finalist(config):
            return None
        return self._finalists.load(config, self.trial.supernet, finalist=True)

    def _has_finalist(self, config: Config) -> bool:
        record = self.known.get(config)
        return record is not None and record.finalist is not None

    def _own(self, config: Config) -> Candidate:
        self._take(config)
        kept = self._kept.load(config, self.trial.supernet)
        if kept is not None:
            return kept
        first = self.trial.candidate(config, trial_seed(self.plan.settings.seed))
        # Whoever trains one bottleneck at several rate weights takes what bytes each of them leads to.
        trained = refined(first, self.trial, self.plan, hold_rate=False)
        self._kept.save([trained])
        return trained


def settings_of(config: Config) -> Settings:
    """Return a configuration as a rival's settings."""
    return config.to_params()


def config_of(settings: Settings) -> Config:
    """Return the configuration of a rival's settings: the inverse of ``settings_of``."""
    return Config.from_params(settings)
