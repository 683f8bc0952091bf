"""The Pareto set: the records that no other one beats in every objective at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from results.measured import Measured
from results.record import TrialRecord
from search_spaces.objective import Constraint, Objective


def costs(records: Sequence[Measured], objectives: Sequence[str]) -> np.ndarray:
    """Return validation values as costs, (n, k) float64: smaller is better in every column.

    Raises:
        UserError: an objective has no such name.
    """
    chosen = [Objective.named(name) for name in objectives]
    signs = np.array([-1.0 if objective.direction == "maximize" else 1.0 for objective in chosen])
    rows = [[record.validation[objective.name] for objective in chosen] for record in records]
    return np.array(rows, dtype=float).reshape(len(records), len(chosen)) * signs


def non_dominated(values: np.ndarray) -> np.ndarray:
    """Return which rows of costs (n, k) no other row dominates, (n,) bool; of equal rows the first is kept.

    Dominance: nowhere worse and somewhere better (Pareto; e.g. Deb et al. 2002, NSGA-II).
    """
    kept = np.ones(len(values), dtype=bool)
    for row, value in enumerate(values):
        # Whom a beaten row dominates, the one that beat it dominates too; twins after a kept row go with it.
        if kept[row]:
            beaten = (values >= value).all(axis=1)
            beaten[: row + 1] &= (values[: row + 1] > value).any(axis=1)
            kept &= ~beaten
    return kept


def pareto_set(records: Sequence[TrialRecord], objectives: Sequence[str]) -> list[TrialRecord]:
    """Return the feasible records that none other dominates on validation, by rising bytes, then edge FLOPs.

    Search trials and anchors compete together; of records with equal objectives the first is kept.
    """
    feasible = [record for record in records if record.feasible]
    kept = non_dominated(costs(feasible, objectives))
    members = [record for record, keep in zip(feasible, kept, strict=True) if keep]
    return sorted(members, key=lambda r: (r.validation.bytes, r.validation.edge_flops, r.number))


def closest_to_feasible(records: Sequence[TrialRecord], constraints: Sequence[Constraint]) -> TrialRecord | None:
    """Return the record whose summed violation is smallest; None without records."""
    return min(records, key=lambda record: total_violation(record, constraints), default=None)


def total_violation(record: TrialRecord, constraints: Sequence[Constraint]) -> float:
    """Return the summed violation of the constraints; 0 when all are met."""
    parts = (max(0.0, constraint.violation(record.validation[constraint.name])) for constraint in constraints)
    return sum(parts)


def why_empty(records: Sequence[TrialRecord], constraints: Sequence[Constraint]) -> str:
    """Say in one sentence why no record is feasible, naming the closest one."""
    closest = closest_to_feasible(records, constraints)
    if closest is None:
        return "the front is empty: no trial has finished yet"
    missed = [c for c in constraints if c.violation(closest.validation[c.name]) > 0]
    figures = ", ".join(f"{c.name} {closest.validation[c.name]:g} where {c} is asked" for c in missed)
    return (
        f"the front is empty: none of {len(records)} trials meets every constraint; "
        f"the closest is trial {closest.number} ({figures})"
    )
