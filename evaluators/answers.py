"""Answers: all that a model with a gate can answer each sample with, in one pass; a threshold then picks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from deploy.route import Route, routes_at
from evaluators.link import Link
from evaluators.mixture import mixed_qualities
from evaluators.outcome import BATCH, Outcome
from evaluators.side_by_side import side_by_side
from search_spaces.derived import DerivedModel
from search_spaces.payload import payload_of, tensors_of
from search_spaces.placement import device_of, on_cpu
from search_spaces.task import DataSplit, Prediction, Task

NEVER = 2.0
"""A threshold that no score exceeds."""
ALWAYS = -1.0
"""A threshold that every score exceeds."""


@dataclass(frozen=True)
class Answers:
    """One pass over a split.

    Attributes:
        scores: The gate's, (n, answers).
        routes: What each route that is on offer answers and sends, for every sample.
    """

    scores: np.ndarray
    routes: Mapping[Route, Outcome]

    def threshold(self, offload: float) -> float:
        """Return the threshold at which a share of the samples is offloaded, or as little less as ties allow."""
        ranked = np.sort(self.scores[:, 0].astype(np.float64))
        kept = round((1 - offload) * len(ranked))
        if kept == 0:
            return ALWAYS
        if kept == len(ranked):
            return NEVER
        # In the middle of two scores, so that another runtime's rounding changes no decision.
        return float(ranked[kept - 1 : kept + 1].mean())

    def at(self, threshold: float) -> Outcome:
        """Return the outcome where every sample takes the first route that the gate expects to be enough."""
        routes = routes_at(self.scores, threshold, list(self.routes))
        taken = [self.routes[Route(route)] for route in routes]
        return Outcome(
            [outcome.predictions[i] for i, outcome in enumerate(taken)],
            taken[0].targets,
            np.asarray([outcome.packet_bytes[i] for i, outcome in enumerate(taken)]),
            routes,
        )

    def qualities(self, task: Task, thresholds: Sequence[float]) -> np.ndarray:
        """Return the quality at each threshold, (r,), 0 to 1."""
        routes = list(self.routes)
        chosen = np.stack([routes_at(self.scores, threshold, routes) for threshold in thresholds])
        taken = np.searchsorted(np.asarray(routes), chosen)
        return mixed_qualities(task, [*self.routes.values()], taken)


def answers(
    derived: DerivedModel, task: Task, data: DataSplit, link: Link | None, images: Outcome | None
) -> Answers:
    """Run a model with a gate over a split: every sample takes every route that is on offer.

    Args:
        derived: The model.
        task: The task.
        data: The split.
        link: Carries features; None where none are sent.
        images: What the complete cloud model answers the split's compressed images with; None where none are sent.
    """
    derived.eval()
    threads = torch.get_num_threads()
    with side_by_side(threads, threads) as pool:
        parts = list(pool.map(lambda rows: _batch(derived, task, data.batch(rows)[0], link), data.batches(BATCH)))
    found = {Route.EDGE: _outcome([part.edge for part in parts], None, data, Route.EDGE)}
    if link is not None:
        sizes = [size for part in parts for size in part.sizes]
        found[Route.FEATURES] = _outcome([part.features for part in parts], sizes, data, Route.FEATURES)
    if images is not None:
        found[Route.IMAGE] = images
    return Answers(np.concatenate([part.scores for part in parts]), found)


@dataclass(frozen=True)
class _Batch:
    scores: np.ndarray
    edge: list[Prediction]
    features: list[Prediction]
    sizes: list[int]


@torch.no_grad()
def _batch(derived: DerivedModel, task: Task, images: Tensor, link: Link | None) -> _Batch:
    assert derived.edge is not None
    crossed = derived.crossed(derived.edge(images.to(device_of(derived))))
    assert crossed.scores is not None
    scores, edge = crossed.scores.cpu().numpy(), task.predict(on_cpu(crossed.outputs))
    if link is None or derived.cloud is None:
        return _Batch(scores, edge, [], [])
    arrived, sizes = link.carry(payload_of(crossed.symbols))
    return _Batch(scores, edge, task.predict(on_cpu(tensors_of(derived.cloud(arrived)))), sizes)


def _outcome(
    predictions: list[list[Prediction]], sizes: list[int] | None, data: DataSplit, route: Route
) -> Outcome:
    lengths = np.zeros(len(data), int) if sizes is None else np.asarray(sizes)
    return Outcome([p for part in predictions for p in part], data.targets, lengths, np.full(len(data), route))
