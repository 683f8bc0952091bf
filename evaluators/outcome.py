"""Outcome: what a derived model answered and sent, sample by sample, on one data split."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from deploy.route import Route
from deploy.symbol_tables import SymbolTables
from evaluators.link import Link
from evaluators.side_by_side import side_by_side
from search_spaces.derived import DerivedModel
from search_spaces.payload import Payload, payload_of, tensors_of
from search_spaces.placement import device_of, on_cpu
from search_spaces.task import DataSplit, Outputs, Prediction, Target, Task

BATCH = 32


@dataclass(frozen=True)
class Outcome:
    """One pass over a split.

    Attributes:
        predictions: One a sample.
        targets: The ground truth, one a sample.
        packet_bytes: ``len(packet)`` of each sample, (n,); 0 where nothing was sent.
        routes: The Route of each sample, int (n,).
    """

    predictions: list[Prediction]
    targets: tuple[Target, ...]
    packet_bytes: np.ndarray
    routes: np.ndarray

    def share(self, route: Route) -> float:
        """Return the share of the samples that took a route."""
        return float((self.routes == route).mean())


def route_of(derived: DerivedModel) -> Route:
    """Return the one route of a model without a gate."""
    if derived.edge is None:
        return Route.IMAGE
    return Route.EDGE if derived.cloud is None else Route.FEATURES


def outcome(derived: DerivedModel, task: Task, data: DataSplit, link: Link | None) -> Outcome:
    """Run a derived model without a gate over a split, every sample through its packet."""
    derived.eval()
    threads = torch.get_num_threads()
    with side_by_side(threads, threads) as pool:
        parts = pool.map(lambda rows: _answered(derived, task, data.batch(rows)[0], link), data.batches(BATCH))
        answers = list(parts)
    predictions = [prediction for found, _ in answers for prediction in found]
    lengths = np.asarray([size for _, sizes in answers for size in sizes])
    return Outcome(predictions, data.targets, lengths, np.full(len(data), route_of(derived)))


@torch.no_grad()
def _answered(
    derived: DerivedModel, task: Task, images: Tensor, link: Link | None
) -> tuple[list[Prediction], list[int]]:
    answer, sizes = _sent(derived, images.to(device_of(derived)), link)
    return task.predict(on_cpu(answer)), sizes


def _sent(derived: DerivedModel, images: Tensor, link: Link | None) -> tuple[Outputs, list[int]]:
    if derived.cloud is None or link is None:
        return derived(images), [0] * len(images)
    sent: Payload = images if derived.edge is None else derived.edge(images)
    arrived, sizes = link.carry(sent)
    return derived.cloud(arrived), sizes


def calibrated_tables(derived: DerivedModel, data: DataSplit, samples: int) -> tuple[SymbolTables, ...]:
    """Count the symbols of the first ``samples`` of a training split, of each tensor that is sent."""
    if not derived.symbol_shapes:
        return ()
    symbols = tensors_of(symbols_of(derived, data, samples))
    return tuple(SymbolTables.calibrate(tensor.numpy(), derived.config.bits) for tensor in symbols)


@torch.no_grad()
def symbols_of(derived: DerivedModel, data: DataSplit, samples: int | None = None) -> Payload:
    """Return the symbols of a split's first samples, of all unless given, uint8 (n, w, h, w') of each tensor."""
    edge = derived.eval().edge
    assert edge is not None
    images = (data.batch(rows)[0].to(device_of(edge)) for rows in data.batches(BATCH, samples))
    batches = [on_cpu(derived.crossed(edge(batch)).symbols) for batch in images]
    return payload_of(torch.cat(parts) for parts in zip(*batches, strict=True))
