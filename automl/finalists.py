"""Finalists: the front refined by longer distillation and measured once on test, beside the plain answers."""

from __future__ import annotations

import copy
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import torch

from automl.bisection import Bisection
from automl.blueprint import Blueprint
from automl.keeper import Keeper
from automl.reporter import Reporter
from automl.search import never
from automl.seeds import derived, trial_seed
from automl.study import Study
from automl.trial import Candidate, Trial
from deploy.joint_codec import symbols_codec
from deploy.packet import PacketCodec
from deploy.sample import Sample, sample_of
from deploy.session import Session
from evaluators.measure import measure
from evaluators.measurement import Measurement
from evaluators.outcome import Outcome
from evaluators.subject import Subject
from results.hypervolume import most_hypervolume
from results.onnx_export import write_onnx
from results.pareto import pareto_set
from results.plain_answers import cloud_model, is_edge_only, is_image, is_split
from results.record import Finalist, RunInfo, TrialRecord
from results.summary import TOLERANCE, QualityRule
from search_spaces.task import DataSplit

POLL_SECONDS = 0.5
RESAMPLES = 300
NEAR = 0.8
"""Share of the cloud model's quality from which a configuration is near it; others are rarely deployed."""


def chosen(records: Sequence[TrialRecord], info: RunInfo, count: int) -> list[TrialRecord]:
    """Return who is measured on test, as far as it is known: ``count`` split members of the front, and rivals.

    Where the front has more split members, those near the cloud model that together dominate most hypervolume are
    taken, then the others likewise. Of the plain answers the cheapest edge-only configuration and the cheapest
    image that are as good as the cloud model are looked for: each that is measured tells which is the next.
    """
    whole = cloud_model(records, info)
    floor = NEAR * whole.validation.quality if whole else 0.0
    rivals = [record for each in bisections(records, info) for record in each.members]
    everyone = [*([whole] if whole else []), *rivals, *_splits(records, info, count, floor)]
    return list({record.number: record for record in everyone}.values())


def bisections(records: Sequence[TrialRecord], info: RunInfo) -> list[Bisection]:
    """Return the searches for the cheapest plain answers, among those near the cloud model."""
    whole = cloud_model(records, info)
    if whole is None:
        return []
    near = [record for record in records if record.validation.quality >= NEAR * whole.validation.quality]
    rule = QualityRule(TOLERANCE, whole)
    edge_only = [record for record in near if is_edge_only(record, info) and record != whole]
    images = [record for record in near if is_image(record)]
    found = (_bisection(edge_only, "edge_flops", rule), _bisection(images, "bytes", rule))
    return [each for each in found if each.frontier]


def _bisection(records: Sequence[TrialRecord], cost: str, rule: QualityRule) -> Bisection:
    frontier = pareto_set(records, ("quality", cost))
    others = [record for record in records if record not in frontier]
    return Bisection(frontier, others, rule, lambda record: record.validation[cost])


def _splits(records: Sequence[TrialRecord], info: RunInfo, count: int, floor: float) -> list[TrialRecord]:
    splits = [record for record in pareto_set(records, info.objectives) if is_split(record, info)]
    near = [record for record in splits if record.validation.quality >= floor]
    far = [record for record in splits if record.validation.quality < floor]
    return [*most_hypervolume(near, info, count, floor), *most_hypervolume(far, info, count - len(near))]


@dataclass(frozen=True)
class Finals:
    """Refines and tests a run's finalists.

    Attributes:
        plan: The run.
        trial: Derives, distils and measures.
        keeper: Holds the weights.
        study: Holds the record.
        reporter: Hears of the progress.
        stop: Asked before every finalist; True ends the work.
    """

    plan: Blueprint
    trial: Trial
    keeper: Keeper
    study: Study
    reporter: Reporter
    stop: Callable[[], bool] = never

    def run(self) -> None:
        """Measure every finalist that has not been measured yet; test is read once for each.

        Any number of processes do so side by side, each taking the next one that no other has.
        """
        self.reporter.stage("finalists", len(self._members()) + self._to_come())
        while not self.stop():
            members = self._members()
            waiting = [record.number for record in members if record.finalist is None]
            self.reporter.advance(len(members) - len(waiting))
            if not waiting:
                return
            busy = self.study.refining()
            free = [number for number in waiting if number not in busy]
            if free:
                self._take(free[0])
            else:
                time.sleep(POLL_SECONDS)

    @cached_property
    def _info(self) -> RunInfo:
        return self.plan.info()

    def _members(self) -> list[TrialRecord]:
        """Return the finalists that are known, first those that tell which others follow."""
        return chosen(self.study.records(), self._info, self.plan.settings.effort.finalists)

    def _to_come(self) -> int:
        """Return how many finalists are yet to be found."""
        return sum(max(0, each.left - 1) for each in bisections(self.study.records(), self._info))

    def _take(self, number: int) -> None:
        with self.study.refinement(number) as mine:
            record = self.study.record(number)
            if mine and record.finalist is None:
                self.study.set_finalist(number, self._finalist(record))

    def _is_whole(self, record: TrialRecord) -> bool:
        return self.trial.supernet.is_cloud_model(record.config)

    @cached_property
    def _test(self) -> DataSplit:
        return self.plan.task.data("test")

    @cached_property
    def _resamples(self) -> np.ndarray:
        return _resamples(len(self._test), self.plan.settings.seed)

    @cached_property
    def _bar(self) -> np.ndarray:
        """The cloud model's quality in every resample."""
        cloud = self.trial.candidate(self.trial.supernet.cloud_config(), 0)
        return self._bootstrap(self.trial.outcome(cloud, self._test))

    def _finalist(self, record: TrialRecord) -> Finalist:
        candidate = self._refined(record)
        whole = self._is_whole(record)
        if not whole:
            self.keeper.save(record.number, candidate, finalist=True)
        outcome = self._exported(candidate, self.trial.outcome(candidate, self._test), self._test)
        quality = self._bootstrap(outcome)
        return Finalist(
            validation=record.validation if whole else self._validated(candidate),
            test=self._measured(candidate, outcome),
            quality_interval=_interval(quality),
            gap_interval=_interval(quality - self._bar),
        )

    def _refined(self, record: TrialRecord) -> Candidate:
        kept = self.candidate(record)
        if self._is_whole(record):
            return kept
        seed = derived(trial_seed(self.plan.settings.seed), "refine")
        return self.trial.distilled(copy.deepcopy(kept.derived), seed, self.plan.refining)

    def candidate(self, record: TrialRecord) -> Candidate:
        """Return a trial's candidate as the search measured it: as kept, or trained again from its seed."""
        kept = self.keeper.load(record.number, self.trial.supernet)
        seed = trial_seed(self.plan.settings.seed)
        return kept or self.trial.candidate(record.config, seed)

    def _exported(self, candidate: Candidate, outcome: Outcome, data: DataSplit) -> Outcome:
        """Replace the packets' lengths by those of the exported edge, which may round a rare symbol differently."""
        if not candidate.tables:
            return outcome
        codec = PacketCodec(symbols_codec(candidate.tables, candidate.derived.symbol_shapes))
        lengths = [len(codec.encode(symbols)) for symbols in _exported_symbols(candidate, data)]
        return replace(outcome, packet_bytes=np.asarray(lengths))

    def _validated(self, candidate: Candidate) -> Measurement:
        return self._measured(candidate, self.trial.outcome(candidate, self.plan.task.data("validation")))

    def _bootstrap(self, outcome: Outcome) -> np.ndarray:
        return self.plan.task.bootstrap(outcome.predictions, outcome.targets, self._resamples)

    def _measured(self, candidate: Candidate, outcome: Outcome) -> Measurement:
        subject = Subject(candidate.derived, self.plan.task, outcome)
        return measure(subject, self.plan.settings.profile)


def _exported_symbols(candidate: Candidate, data: DataSplit) -> Iterator[Sample]:
    assert candidate.derived.edge is not None
    images, _ = data.batch([0])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "edge.onnx"
        write_onnx(candidate.derived.edge, images.contiguous(), path)
        session = Session(path, torch.get_num_threads())
        for index in range(len(data)):
            outputs = session.run(data.batch([index])[0].contiguous().numpy())
            yield sample_of(symbols[0] for symbols in outputs)


def _resamples(samples: int, seed: int) -> np.ndarray:
    """Return how often each sample is in each resample, (RESAMPLES, samples); all share it, so gaps are paired."""
    rng = np.random.default_rng(derived(seed, "bootstrap"))
    return rng.multinomial(samples, np.full(samples, 1 / samples), size=RESAMPLES)


def _interval(values: np.ndarray) -> tuple[float, float]:
    low, high = np.quantile(values, (0.025, 0.975))
    return float(low), float(high)
