"""Choosers: pick one member of the front by a bound on its measures or by its knee."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from deploy.errors import UserError
from results.axes import axes, points
from results.naming import measure
from results.pareto import closest_to_feasible, costs
from results.record import RunInfo, TrialRecord
from search_spaces.objective import Constraint


@dataclass(frozen=True)
class Choice:
    """What the user asks of the member to pick; bounds are on the search's validation values.

    Attributes:
        knee: Take the knee of the members within the bounds, whatever the bounds.
        max_bytes: Most bytes a sample may send.
        max_edge_flops: Most multiply-adds the edge may do.
        min_quality: Least quality.
    """

    knee: bool = False
    max_bytes: float | None = None
    max_edge_flops: float | None = None
    min_quality: float | None = None

    @property
    def asked(self) -> bool:
        """Whether anything is asked at all."""
        return self.knee or bool(self.constraints())

    def constraints(self) -> list[Constraint]:
        """Return the bounds as constraints."""
        bounds = (
            ("bytes", "<=", self.max_bytes),
            ("edge_flops", "<=", self.max_edge_flops),
            ("quality", ">=", self.min_quality),
        )
        return [
            Constraint(name, "<=" if relation == "<=" else ">=", bound)
            for name, relation, bound in bounds
            if bound is not None
        ]

    def __str__(self) -> str:
        words = [str(constraint) for constraint in self.constraints()]
        return ", ".join((["knee"] if self.knee else []) + words)


def choose(front: Sequence[TrialRecord], choice: Choice, info: RunInfo) -> TrialRecord:
    """Return the member within the bounds that is best in the one objective left unbounded, else their knee.

    With every objective but one bounded, the best in that one; with several unbounded (or ``choice.knee``) the
    knee of those within the bounds, because the best in one alone would always be an extreme of the front.

    Raises:
        UserError: the front is empty, or no member is within the bounds (the closest one is named).
    """
    if not front:
        raise UserError("there is nothing to choose from: the front is empty")
    bounds = choice.constraints()
    within = [r for r in front if all(c.violation(r.validation[c.name]) <= 0 for c in bounds)]
    if not within:
        raise _nothing_within(front, bounds)
    bounded = {constraint.name for constraint in bounds}
    free = [name for name in info.objectives if name not in bounded]
    if choice.knee or len(free) != 1:
        return knee(within, info)
    return within[int(np.argmin(costs(within, free)[:, 0]))]


def _nothing_within(front: Sequence[TrialRecord], bounds: Sequence[Constraint]) -> UserError:
    closest = closest_to_feasible(front, bounds)
    assert closest is not None
    asked = " and ".join(str(constraint) for constraint in bounds)
    figures = ", ".join(f"{c.name} {measure(c.name, closest.validation[c.name])}" for c in bounds)
    return UserError(
        f"no member of the front has {asked}; the closest is trial {closest.number} with {figures}: relax the bound"
    )


def knee(members: Sequence[TrialRecord], info: RunInfo) -> TrialRecord:
    """Return the member farthest below the hyperplane through the extremes, in axes scaled to 0..1.

    Sources: the knee as the farthest point from the hull of extremes, Das 1999, "On characterizing the 'knee' of
    the Pareto curve based on normal-boundary intersection"; the extremes by the achievement scalarising function
    of Deb & Jain 2014 (NSGA-III). Where they span no plane, the one through the unit points is used.
    """
    coordinates = points(members, axes(members, info))
    low, high = coordinates.min(axis=0), coordinates.max(axis=0)
    unit = (coordinates - low) / np.where(high > low, high - low, 1.0)
    normal = _plane(unit)
    return members[int(np.argmin(unit @ normal))]


def _plane(unit: np.ndarray) -> np.ndarray:
    """Return w of the plane w . x = 1 through the k extreme rows of ``unit`` (n, k); ones where there is none."""
    size = unit.shape[1]
    weights = np.full((size, size), 1e6) - np.eye(size) * (1e6 - 1)
    extremes = unit[[int(np.argmin((unit * row).max(axis=1))) for row in weights]]
    if np.linalg.matrix_rank(extremes) < size:
        return np.ones(size)
    normal = np.linalg.solve(extremes, np.ones(size))
    return normal if (normal > 0).all() else np.ones(size)
