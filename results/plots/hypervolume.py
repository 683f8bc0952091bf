"""Hypervolume over the trials of the search."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from results.axes import axes
from results.hypervolume import hypervolume_curve
from results.plots.style import ACCENT, INK, MUTED, headline, new_figure, tidy
from results.record import RunInfo, TrialRecord


def hypervolume_figure(records: Sequence[TrialRecord], info: RunInfo) -> Figure:
    """Draw the hypervolume after every search trial, with that of the anchors alone below it."""
    curve = hypervolume_curve(records, info)
    trials, values = [point[0] for point in curve], [point[1] for point in curve]
    figure = new_figure(9.2, 4.2)
    panel = figure.add_axes((0.085, 0.135, 0.83, 0.68))
    tidy(panel)
    panel.fill_between(trials, values[0], values, step="post", color=ACCENT, alpha=0.12, linewidth=0)
    panel.step(trials, values, where="post", color=ACCENT, linewidth=2)
    panel.axhline(values[0], color=MUTED, linewidth=1, linestyle=(0, (4, 3)))
    span = max(values[-1] - values[0], 0.01)
    panel.set_ylim(values[0] - 0.12 * span, values[-1] + 0.14 * span)
    panel.set_xlim(0, max(trials[-1], 1))
    panel.annotate("the plain answers (anchors) alone", (0.995, values[0]), xycoords=("axes fraction", "data"),
                   xytext=(0, 4), textcoords="offset points", fontsize=9, color=MUTED, ha="right")  # fmt: skip
    panel.annotate(f"{values[-1]:.4f}", (trials[-1], values[-1]), xytext=(6, 0), textcoords="offset points",
                   fontsize=11, fontweight="bold", color=ACCENT, va="center", annotation_clip=False)  # fmt: skip
    panel.xaxis.set_major_locator(MaxNLocator(integer=True))
    panel.set_xlabel("search trials measured")
    panel.set_ylabel("hypervolume (0 to 1)", color=INK)
    reference = ", ".join(f"{axis.formula} = {axis.reference:.3g}" for axis in axes(records, info))
    headline(figure, f"{info.name}: hypervolume of the front", f"on validation; reference: {reference}")
    return figure
