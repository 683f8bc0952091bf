"""Axes: the objectives scaled for the hypervolume and the knee, each with its reference."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from results.measured import Measured
from results.record import RunInfo, TrialRecord

MARGIN = 1.1


@dataclass(frozen=True)
class Axis:
    """One objective as a cost from 0 (ideal) to ``reference`` (what no longer counts).

    Attributes:
        name: The objective.
        formula: What the axis shows, e.g. ``"log10(1 + bytes)"``.
        scale: What a value is divided by.
        reference: The reference point's coordinate on this axis.
    """

    name: str
    formula: str
    scale: float
    reference: float

    def cost(self, value: float) -> float:
        """Return the coordinate of a measured value."""
        if self.name == "quality":
            return 1.0 - value
        if self.name == "bytes":
            return math.log10(1.0 + value)
        return value / self.scale


def axes(records: Sequence[TrialRecord], info: RunInfo) -> tuple[Axis, ...]:
    """Return the axes of a run's objectives.

    Quality is 1 - quality with reference 1; edge and cloud FLOPs are shares of the whole cloud model's with
    reference 1.1; bytes are log10(1 + bytes) with the uncompressed image's as reference. Any other measure is a
    share of the worst anchor's (of the worst trial's where a run has no anchors), with reference 1.1.
    """
    return tuple(_axis(name, records, info) for name in info.objectives)


def _axis(name: str, records: Sequence[TrialRecord], info: RunInfo) -> Axis:
    if name == "quality":
        return Axis(name, "1 - quality", 1.0, 1.0)
    if name == "bytes":
        return Axis(name, "log10(1 + bytes)", 1.0, math.log10(1.0 + info.raw_bytes))
    if name in ("edge_flops", "cloud_flops"):
        return Axis(name, f"{name} / whole model's FLOPs", info.whole_flops, MARGIN)
    anchors = [record for record in records if record.kind == "anchor"] or list(records)
    worst = max((record.validation[name] for record in anchors), default=1.0)
    return Axis(name, f"{name} / worst anchor's {name}", worst or 1.0, MARGIN)


def points(records: Sequence[Measured], run_axes: Sequence[Axis]) -> np.ndarray:
    """Return the records' validation coordinates, (n, k) float64."""
    rows = [[axis.cost(record.validation[axis.name]) for axis in run_axes] for record in records]
    return np.array(rows, dtype=float).reshape(len(records), len(run_axes))
