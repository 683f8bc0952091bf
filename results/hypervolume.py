"""Hypervolume: how much of the space of trade-offs a run's front dominates, 0 to 1."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np
from pymoo.indicators.hv import HV

from results.axes import Axis, axes, points
from results.measured import Measured
from results.record import RunInfo, TrialRecord

M = TypeVar("M", bound=Measured)


def hypervolume(records: Sequence[TrialRecord], info: RunInfo) -> float:
    """Return the share of the box from the ideal (0, ..., 0) to the reference that the feasible records dominate.

    Axes and reference are those of ``results.axes``; measured on validation.
    Source: Zitzler & Thiele 1999, "Multiobjective evolutionary algorithms: a comparative case study".
    """
    run_axes = axes(records, info)
    return share_of(points([record for record in records if record.feasible], run_axes), run_axes)


def hypervolume_curve(records: Sequence[TrialRecord], info: RunInfo) -> list[tuple[int, float]]:
    """Return (search trials finished, hypervolume) from 0, the anchors alone, to all of them, by trial number.

    The axes are the whole run's, so the curve never falls. What was measured along with a trial counts with it.
    """
    run_axes = axes(records, info)
    anchors = [record for record in records if record.kind == "anchor" and record.feasible]
    front = points(anchors, run_axes)
    curve = [(0, share_of(front, run_axes))]
    for record in sorted((record for record in records if record.kind != "anchor"), key=lambda r: r.number):
        done, value = curve[-1]
        point = points([record], run_axes)
        if record.feasible and not (front <= point).all(axis=1).any():
            front = np.vstack([front[~(point <= front).all(axis=1)], point])
            # In exact arithmetic a point never takes anything away.
            value = max(value, share_of(front, run_axes))
        if record.kind == "search":
            curve.append((done + 1, value))
        else:
            curve[-1] = (done, value)
    return curve


def share_of(coordinates: np.ndarray, run_axes: Sequence[Axis]) -> float:
    """Return the share of the box from the ideal to the reference that coordinates (n, k) dominate."""
    reference = np.array([axis.reference for axis in run_axes])
    inside = coordinates[(coordinates < reference).all(axis=1)]
    if not len(inside):
        return 0.0
    return float(HV(ref_point=reference)(inside)) / float(np.prod(reference))


def most_hypervolume(
    records: Sequence[TrialRecord], info: RunInfo, count: int, floor: float = 0.0
) -> list[TrialRecord]:
    """Return up to ``count`` of the records, added greedily by the hypervolume each one gains; stable order.

    Args:
        records: Any records of a run.
        info: The run.
        count: How many are wanted.
        floor: The quality from which a record counts: the reference's.
    """
    return most_share(records, axes(records, info), count, floor)


def most_share(members: Sequence[M], run_axes: Sequence[Axis], count: int, floor: float = 0.0) -> list[M]:
    """Return up to ``count`` of whatever was measured, added greedily by the share each one gains; stable order.

    The greedy choice reaches at least 1 - 1/e of the best subset's hypervolume (Nemhauser et al. 1978).
    """
    above = [replace(a, reference=1 - floor) if a.name == "quality" else a for a in run_axes]
    left = list(members)
    taken: list[M] = []
    while left and len(taken) < count:
        gains = [share_of(points([*taken, member], above), above) for member in left]
        taken.append(left.pop(int(np.argmax(gains))))
    return [member for member in members if member in taken]
