"""Outcome: what a derived model answered and sent, sample by sample, on one data split."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from deploy.symbol_tables import SymbolTables
from evaluators.link import Link
from search_spaces.derived import DerivedModel
from search_spaces.task import DataSplit, Outputs, Prediction, Target, Task

BATCH = 64


@dataclass(frozen=True)
class Outcome:
    """One pass over a split.

    Attributes:
        predictions: One a sample.
        targets: The ground truth, one a sample.
        packet_bytes: ``len(packet)`` of each sample, (n,).
    """

    predictions: list[Prediction]
    targets: tuple[Target, ...]
    packet_bytes: np.ndarray


@torch.no_grad()
def outcome(derived: DerivedModel, task: Task, data: DataSplit, link: Link | None) -> Outcome:
    """Run a derived model over a split, every sample through its packet."""
    derived.eval()
    predictions: list[Prediction] = []
    lengths: list[int] = []
    for start in range(0, len(data), BATCH):
        images, _ = data.batch(range(start, min(start + BATCH, len(data))))
        answer, sizes = _answered(derived, images, link)
        predictions += task.predict(answer)
        lengths += sizes
    return Outcome(predictions, data.targets, np.asarray(lengths))


def _answered(derived: DerivedModel, images: Tensor, link: Link | None) -> tuple[Outputs, list[int]]:
    if derived.cloud is None or link is None:
        return derived(images), [0] * len(images)
    arrived, sizes = link.carry(images if derived.edge is None else derived.edge(images))
    return derived.cloud(arrived), sizes


@torch.no_grad()
def calibrated_tables(derived: DerivedModel, data: DataSplit, samples: int) -> SymbolTables | None:
    """Count the symbols of the first ``samples`` of a training split; None where no symbols are sent."""
    if derived.symbol_shape is None or derived.edge is None:
        return None
    derived.eval()
    count = min(samples, len(data))
    batches = [data.batch(range(i, min(i + BATCH, count)))[0] for i in range(0, count, BATCH)]
    symbols = torch.cat([derived.edge(images) for images in batches])
    return SymbolTables.calibrate(symbols.numpy(), derived.config.bits)
