"""Finalists: the front refined by longer distillation and measured once on test, beside the plain answers."""

from __future__ import annotations

import copy
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from automl.blueprint import Blueprint
from automl.keeper import Keeper
from automl.reporter import Reporter
from automl.seeds import derived, trial_seed
from automl.study import Study
from automl.trial import Candidate, Trial
from deploy.packet import PacketCodec
from deploy.session import Session
from deploy.symbol_codec import SymbolCodec
from evaluators.measure import measure
from evaluators.measurement import Measurement
from evaluators.outcome import Outcome
from evaluators.subject import Subject
from results.hypervolume import most_hypervolume
from results.onnx_export import write_onnx
from results.pareto import pareto_set
from results.plain_answers import cloud_model, edge_only_frontier, is_image, is_split
from results.record import Finalist, RunInfo, TrialRecord
from search_spaces.task import DataSplit

RESAMPLES = 300
EDGE_ONLY = 4
"""Edge-only finalists, the cloud model among them: those of the highest quality on their own frontier."""
NEAR = 0.8
"""Share of the cloud model's quality from which split members are refined first; others are rarely deployed."""


def chosen(records: Sequence[TrialRecord], info: RunInfo, count: int) -> list[TrialRecord]:
    """Return who is measured on test: ``count`` split members of the front, and the plain answers' frontiers.

    Of the images those that no other image beats, whatever its format. Where the front has more split members,
    those near the cloud model that together dominate most hypervolume are taken, then the others likewise.
    """
    images = pareto_set([record for record in records if is_image(record)], ("quality", "bytes"))
    edge_only = sorted(edge_only_frontier(records, info), key=lambda r: -r.validation.quality)[:EDGE_ONLY]
    whole = cloud_model(records, info)
    floor = NEAR * whole.validation.quality if whole else 0.0
    everyone = [*([whole] if whole else []), *edge_only, *images, *_splits(records, info, count, floor)]
    return list({record.number: record for record in everyone}.values())


def _splits(records: Sequence[TrialRecord], info: RunInfo, count: int, floor: float) -> list[TrialRecord]:
    splits = [record for record in pareto_set(records, info.objectives) if is_split(record, info)]
    near = [record for record in splits if record.validation.quality >= floor]
    far = [record for record in splits if record.validation.quality < floor]
    return [*most_hypervolume(near, info, count), *most_hypervolume(far, info, count - len(near))]


@dataclass(frozen=True)
class Finals:
    """Refines and tests a run's finalists.

    Attributes:
        plan: The run.
        trial: Derives, distils and measures.
        keeper: Holds the weights.
        study: Holds the record.
        reporter: Hears of the progress.
    """

    plan: Blueprint
    trial: Trial
    keeper: Keeper
    study: Study
    reporter: Reporter

    def run(self) -> None:
        """Measure every finalist that has not been measured yet; test is read once for each.

        One process at a time does so: what another one has measured while this one waited is not measured again.
        """
        if not all(record.finalist for record in self._chosen()):
            with self.study.finals_turn(
                lambda: self.reporter.say("Another process refines the finalists: waiting.")
            ):
                self._measure(self._chosen())

    def _chosen(self) -> list[TrialRecord]:
        return chosen(self.study.records(), self.plan.info(), self.plan.settings.effort.finalists)

    def _measure(self, records: Sequence[TrialRecord]) -> None:
        waiting = [record for record in records if record.finalist is None]
        self.reporter.stage("finalists", len(records))
        if not waiting:
            return
        test = self.plan.task.data("test")
        cloud = self.trial.supernet.cloud_config()
        resamples = _resamples(len(test), self.plan.settings.seed)
        bar = self._bootstrap(self.trial.outcome(self.trial.candidate(cloud, 0), test), resamples)
        for done, record in enumerate(waiting, start=len(records) - len(waiting) + 1):
            self.study.set_finalist(record.number, self._finalist(record, test, resamples, bar))
            self.reporter.advance(done, f"trial {record.number}")

    def _finalist(self, record: TrialRecord, test: DataSplit, resamples: np.ndarray, bar: np.ndarray) -> Finalist:
        candidate = self._refined(record)
        whole = self.trial.supernet.is_cloud_model(record.config)
        if not whole:
            self.keeper.save(record.number, candidate, finalist=True)
        outcome = self._exported(candidate, self.trial.outcome(candidate, test), test)
        quality = self._bootstrap(outcome, resamples)
        return Finalist(
            validation=record.validation if whole else self._validated(candidate),
            test=self._measured(candidate, outcome),
            quality_interval=_interval(quality),
            gap_interval=_interval(quality - bar),
        )

    def _refined(self, record: TrialRecord) -> Candidate:
        kept = self.candidate(record)
        if self.trial.supernet.is_cloud_model(record.config):
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
        if candidate.tables is None or candidate.derived.symbol_shape is None:
            return outcome
        codec = PacketCodec(SymbolCodec(candidate.tables, candidate.derived.symbol_shape))
        lengths = [len(codec.encode(symbols)) for symbols in _exported_symbols(candidate, data)]
        return replace(outcome, packet_bytes=np.asarray(lengths))

    def _validated(self, candidate: Candidate) -> Measurement:
        return self.trial.measured(candidate, self.plan.task.data("validation"))

    def _bootstrap(self, outcome: Outcome, resamples: np.ndarray) -> np.ndarray:
        return self.plan.task.bootstrap(outcome.predictions, outcome.targets, resamples)

    def _measured(self, candidate: Candidate, outcome: Outcome) -> Measurement:
        return measure(Subject(candidate.derived, self.plan.task, outcome))


def _exported_symbols(candidate: Candidate, data: DataSplit) -> Iterator[np.ndarray]:
    assert candidate.derived.edge is not None
    images, _ = data.batch([0])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "edge.onnx"
        write_onnx(candidate.derived.edge, images.contiguous(), path)
        session = Session(path, torch.get_num_threads())
        for index in range(len(data)):
            yield session.run(data.batch([index])[0].contiguous().numpy())[0][0]


def _resamples(samples: int, seed: int) -> np.ndarray:
    """Return how often each sample is in each resample, (RESAMPLES, samples); all share it, so gaps are paired."""
    rng = np.random.default_rng(derived(seed, "bootstrap"))
    return rng.multinomial(samples, np.full(samples, 1 / samples), size=RESAMPLES)


def _interval(values: np.ndarray) -> tuple[float, float]:
    low, high = np.quantile(values, (0.025, 0.975))
    return float(low), float(high)
