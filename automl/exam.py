"""Exam: how anything is measured on test: resamples that all share, and the cloud model beside it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import torch

from automl.blueprint import Blueprint
from automl.seeds import derived
from automl.trial import Candidate, Trial
from deploy.joint_codec import symbols_codec
from deploy.packet import PacketCodec
from deploy.route import Route
from deploy.sample import Sample, sample_of
from deploy.session import Session
from evaluators.outcome import Outcome
from results.onnx_export import write_onnx
from search_spaces.task import DataSplit

RESAMPLES = 300
Interval = tuple[float, float]


@dataclass(frozen=True)
class Exam:
    """What one run's configurations are compared by on test.

    Attributes:
        plan: The run.
        trial: Runs the cloud model.
    """

    plan: Blueprint
    trial: Trial

    @cached_property
    def data(self) -> DataSplit:
        """The test split."""
        return self.plan.task.data("test")

    def intervals(self, outcome: Outcome) -> tuple[Interval, Interval]:
        """Return the bootstrap 95 % intervals of a quality, and of it minus the cloud model's, paired."""
        quality = self._bootstrap(outcome)
        return _interval(quality), _interval(quality - self._bar)

    @cached_property
    def _resamples(self) -> np.ndarray:
        return _resamples(len(self.data), self.plan.settings.seed)

    @cached_property
    def _bar(self) -> np.ndarray:
        """The cloud model's quality in every resample."""
        cloud = self.trial.candidate(self.trial.supernet.cloud_config(), 0)
        return self._bootstrap(self.trial.outcome(cloud, self.data))

    def _bootstrap(self, outcome: Outcome) -> np.ndarray:
        return self.plan.task.bootstrap(outcome.predictions, outcome.targets, self._resamples)


def as_exported(candidate: Candidate, outcomes: Sequence[Outcome], data: DataSplit) -> list[Outcome]:
    """Replace the packets' lengths by those of the exported edge, which may round a rare symbol differently.

    Args:
        candidate: What is exported.
        outcomes: Its outcomes on the split, at one threshold or several.
        data: The split.
    """
    if not candidate.tables:
        return list(outcomes)
    codec = PacketCodec(symbols_codec(candidate.tables, candidate.derived.symbol_shapes))
    lengths = [len(codec.encode(symbols)) for symbols in _exported_symbols(candidate, data)]
    return [
        replace(each, packet_bytes=np.where(each.routes == Route.FEATURES, lengths, each.packet_bytes))
        for each in outcomes
    ]


def _exported_symbols(candidate: Candidate, data: DataSplit) -> Iterator[Sample]:
    assert candidate.derived.edge is not None
    images, _ = data.batch([0])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "edge.onnx"
        write_onnx(candidate.derived.edge, images.contiguous(), path)
        session = Session(path, torch.get_num_threads())
        for index in range(len(data)):
            outputs = session.run(data.batch([index])[0].contiguous().numpy())
            yield sample_of(symbols[0] for symbols in outputs[: len(candidate.derived.symbol_shapes)])


def _resamples(samples: int, seed: int) -> np.ndarray:
    """Return how often each sample is in each resample, (RESAMPLES, samples); all share it, so gaps are paired."""
    rng = np.random.default_rng(derived(seed, "bootstrap"))
    return rng.multinomial(samples, np.full(samples, 1 / samples), size=RESAMPLES)


def _interval(values: np.ndarray) -> Interval:
    low, high = np.quantile(values, (0.025, 0.975))
    return float(low), float(high)
