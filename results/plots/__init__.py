"""Plots of a run, one file a plot, written as PNG without a display."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from matplotlib.figure import Figure

from results.plots.front import front_figure
from results.plots.hypervolume import hypervolume_figure
from results.plots.importances import importances_figure
from results.plots.parallel import parallel_figure
from results.plots.style import save
from results.record import RunInfo, TrialRecord
from results.rival_point import RivalPoint

PLOTS: dict[str, Callable[[Sequence[TrialRecord], RunInfo, Sequence[RivalPoint]], Figure]] = {
    "front": front_figure,
    "parallel": lambda records, info, _: parallel_figure(records, info),
    "hypervolume": lambda records, info, _: hypervolume_figure(records, info),
    "importances": lambda records, info, _: importances_figure(records, info),
}


def write_plots(
    records: Sequence[TrialRecord],
    info: RunInfo,
    folder: Path,
    names: Sequence[str] = tuple(PLOTS),
    rivals: Sequence[RivalPoint] = (),
) -> list[Path]:
    """Write the named plots below ``folder`` as NAME.png, atomically, and return their paths."""
    return [save(PLOTS[name](records, info, rivals), folder / f"{name}.png") for name in names]
