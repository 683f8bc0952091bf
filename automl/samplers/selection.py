"""Selection: fronts (Deb et al. 2002, NSGA-II), constraints first, and how much room a member has in its front."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from optuna.trial import FrozenTrial
from pymoo.indicators.hv import HV

from search_spaces.objective import Objective

LOGARITHMIC = ("bytes",)
"""Objectives in which a factor counts, not a difference: 100 bytes saved of 150 are not 100 of 10,000."""
MARGIN = 1.1
MOST_OBJECTIVES = 3
"""Exact hypervolumes of more are too slow; there the crowding distance is used."""


def costs_of(trials: Sequence[FrozenTrial], objectives: Sequence[Objective]) -> np.ndarray:
    """Return the trials' values as costs, (n, k) float64, smaller is better; bytes as log10(1 + bytes)."""
    values = np.array([trial.values for trial in trials], dtype=float)
    for column, objective in enumerate(objectives):
        if objective.name in LOGARITHMIC:
            values[:, column] = np.log10(1 + values[:, column])
        if objective.direction == "maximize":
            values[:, column] *= -1
    return values


def violations_of(trials: Sequence[FrozenTrial]) -> np.ndarray:
    """Return by how much each trial violates its constraints in all, (n,) float64; 0 where it is feasible."""
    return np.array([sum(max(0.0, value) for value in trial.constraints.values()) for trial in trials])


def ranks(costs: np.ndarray, violations: np.ndarray) -> np.ndarray:
    """Return each row's rank, (n,) int, best 0: feasible rows by fronts, then the others by violation."""
    found = np.full(len(costs), -1)
    feasible, level = violations == 0, 0
    while ((found < 0) & feasible).any():
        rest = np.flatnonzero((found < 0) & feasible)
        found[rest[~_dominated(costs[rest])]] = level
        level += 1
    for violation in np.unique(violations[~feasible]):
        found[violations == violation] = level
        level += 1
    return found


def survivors(costs: np.ndarray, violations: np.ndarray, count: int) -> list[int]:
    """Return the ``count`` best rows in rising order: whole fronts, then the last one without its least members."""
    rank = ranks(costs, violations)
    kept: list[int] = []
    for level in range(int(rank.max()) + 1):
        front = np.flatnonzero(rank == level)
        while len(kept) + len(front) > count:
            front = np.delete(front, int(np.argmin(_room(costs[front]))))
        kept.extend(int(index) for index in front)
    return sorted(kept)


def spread(costs: np.ndarray, rank: np.ndarray) -> np.ndarray:
    """Return how much room each row has within its front, (n,) float64: more is rarer."""
    room = np.zeros(len(costs))
    for level in np.unique(rank):
        room[rank == level] = _room(costs[rank == level])
    return room


def _room(costs: np.ndarray) -> np.ndarray:
    return contributions(costs) if costs.shape[1] <= MOST_OBJECTIVES else crowding(costs)


def contributions(costs: np.ndarray) -> np.ndarray:
    """Return what hypervolume the front would lose with each row, (n,) float64, axes scaled to the front's."""
    low, high = costs.min(axis=0), costs.max(axis=0)
    scaled = (costs - low) / np.where(high > low, high - low, 1.0)
    volume = HV(ref_point=np.full(costs.shape[1], MARGIN))
    if len(costs) == 1:
        return np.array([volume(scaled)])
    return volume(scaled) - np.array([volume(np.delete(scaled, row, axis=0)) for row in range(len(scaled))])


def crowding(costs: np.ndarray) -> np.ndarray:
    """Return each row's crowding distance within one front, (n,) float64; infinite at the ends of an axis."""
    distance = np.zeros(len(costs))
    for column in costs.T:
        order = np.argsort(column, kind="stable")
        width = column[order[-1]] - column[order[0]]
        if width == 0:
            continue
        distance[order[[0, -1]]] = np.inf
        distance[order[1:-1]] += (column[order[2:]] - column[order[:-2]]) / width
    return distance


def _dominated(costs: np.ndarray) -> np.ndarray:
    nowhere_worse = (costs[:, None] <= costs[None]).all(axis=2)
    somewhere_better = (costs[:, None] < costs[None]).any(axis=2)
    return np.asarray((nowhere_worse & somewhere_better).any(axis=0))
