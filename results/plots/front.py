"""Front: quality against bytes, coloured by the edge's share of the model, with the plain answers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec
from matplotlib.ticker import FuncFormatter, NullFormatter

from evaluators.measurement import Measurement
from results.pareto import pareto_set
from results.plain_answers import image_frontiers, is_edge_only, is_shared, plain_answers
from results.plots.rivals import draw_rivals
from results.plots.style import (
    FAINT,
    FORMATS,
    INK,
    MARKERS,
    MUTED,
    headline,
    new_figure,
    share_colours,
    tidy,
)
from results.record import RunInfo, TrialRecord
from results.rival_point import RivalPoint

NORM = Normalize(0, 1)
WIDTH, HEIGHT = 9.2, 5.2
"""Inches, the legend aside."""
COLUMNS, ROW_INCHES = 3, 0.22
"""Of the legend: it lies below the axes, so that it covers nothing."""


def front_figure(records: Sequence[TrialRecord], info: RunInfo, rivals: Sequence[RivalPoint] = ()) -> Figure:
    """Draw the front; a strip at the left holds what sends nothing, for 0 has no place on a log axis."""
    front = pareto_set(records, info.objectives)
    figure = new_figure(WIDTH, HEIGHT)
    grid = figure.add_gridspec(1, 3, width_ratios=(1, 11, 0.28), left=0.075, right=0.93, wspace=0.045)
    strip = figure.add_subplot(grid[0])
    main = figure.add_subplot(grid[1], sharey=strip)
    refined = any(record.finalist for record in front)
    draw_rivals(strip, main, rivals)
    _draw_strip(strip, records, front, info)
    _draw_main(main, records, front, info)
    _limits(strip, main, [*records, *rivals], [*front, *plain_answers(records, info)])
    strip.set_ylabel(f"{info.metric} (quality)")
    bar = figure.colorbar(ScalarMappable(NORM, share_colours()), cax=figure.add_subplot(grid[2]))
    bar.set_label("edge multiply-adds, share of the whole model", color=INK, fontsize=9)
    bar.ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:.0f} %"))
    bar.ax.tick_params(colors=MUTED, labelsize=8.5, length=2)
    bar.outline.set_visible(False)
    _legend(figure, main, grid)
    told = "all on validation; finalists, ringed, after refinement" if refined else "all on validation"
    headline(figure, f"{info.name}: quality against bytes sent", f"{told}; grey: not on the front")
    return figure


def _draw_strip(axes: Axes, records: Sequence[TrialRecord], front: Sequence[TrialRecord], info: RunInfo) -> None:
    tidy(axes)
    others = [r.validation.quality for r in records if is_edge_only(r, info)]
    axes.scatter(np.zeros(len(others)), others, s=12, color=FAINT, linewidths=0)
    _members(axes, [r for r in front if is_edge_only(r, info)], info, "p", 62)
    axes.set_xlim(-1, 1)
    axes.set_xticks([0], ["0"])
    axes.set_xlabel("all on the\nedge", fontsize=8.5)
    axes.grid(False, axis="x")


def _draw_main(axes: Axes, records: Sequence[TrialRecord], front: Sequence[TrialRecord], info: RunInfo) -> None:
    tidy(axes)
    axes.set_xscale("log")
    others = [r.validation for r in records if is_shared(r, info)]
    axes.scatter([m.bytes for m in others], [m.quality for m in others], s=9, color=FAINT, linewidths=0)
    for name, members in image_frontiers(records).items():
        _codec(axes, name, members)
    shared = [record for record in front if is_shared(record, info)]
    gated = [record for record in shared if record.config.gated]
    _members(axes, [record for record in shared if not record.config.gated], info, "o", 46)
    _members(axes, gated, info, "D", 40)
    for drawn, marker, size, label in (
        (len(shared) - len(gated), "o", 46, "split: features are sent"),
        (len(gated), "D", 40, "gated: the edge answers some"),
        (any(is_edge_only(record, info) for record in front), "p", 62, "all on the edge: nothing is sent"),
    ):
        if drawn:
            axes.scatter(
                [], [], s=size, marker=marker, color=share_colours()(0.45), edgecolors="white", label=label
            )
    axes.set_xlabel("bytes sent for one sample (mean packet)")
    axes.xaxis.set_major_formatter(
        FuncFormatter(lambda value, _: f"{value:g} B" if value < 1000 else f"{value / 1000:g} kB")
    )
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.tick_params(labelleft=False)
    axes.spines["left"].set_linestyle((0, (2, 2)))


def _legend(figure: Figure, main: Axes, grid: GridSpec) -> None:
    """Write what each marker means below the axes, and make room for it."""
    found = sorted(zip(*main.get_legend_handles_labels(), strict=True), key=lambda pair: _group(pair[1]))
    rows = -(-len(found) // COLUMNS)
    height = HEIGHT + rows * ROW_INCHES
    figure.set_size_inches(WIDTH, height)
    grid.update(top=1 - 0.65 / height, bottom=(0.7 + rows * ROW_INCHES) / height)
    for axes in figure.axes:
        spec = axes.get_subplotspec()
        assert spec is not None
        axes.set_position(spec.get_position(figure))
    figure.legend(
        [handle for handle, _ in found], [label for _, label in found], loc="lower left",
        bbox_to_anchor=(0.065, 0.02), ncols=COLUMNS, fontsize=8.5, frameon=False, labelcolor=INK,
        borderaxespad=0, columnspacing=2.5,
    )  # fmt: skip


def _group(label: str) -> int:
    """Return a legend's order: the run's own members, images, rivals."""
    return 2 * label.startswith("rival") + label.startswith("all in the cloud")


def _codec(axes: Axes, name: str, members: Sequence[TrialRecord]) -> None:
    axes.plot(
        [record.validation.bytes for record in members],
        [record.validation.quality for record in members],
        color=FORMATS.get(name, MUTED),
        linewidth=1.3,
        alpha=0.85,
        marker=MARKERS.get(name, "s"),
        markersize=4.5,
        markeredgecolor="white",
        markeredgewidth=0.6,
        label=f"all in the cloud: {name}",
    )


def _members(axes: Axes, members: Sequence[TrialRecord], info: RunInfo, marker: str, size: float) -> None:
    for record in members:
        measured = _on_validation(record)
        colour = share_colours()(NORM(record.validation.edge_flops / info.whole_flops))
        axes.scatter(
            measured.bytes, measured.quality, s=size, color=colour, marker=marker, zorder=3,
            edgecolors=INK if record.finalist else "white", linewidths=1.1 if record.finalist else 0.8,
        )  # fmt: skip


def _on_validation(record: TrialRecord) -> Measurement:
    """Return the best that is known of a record on validation: test is another split, with figures of its own."""
    return record.finalist.validation if record.finalist else record.validation


def _limits(
    strip: Axes, main: Axes, records: Sequence[TrialRecord | RivalPoint], drawn: Sequence[TrialRecord]
) -> None:
    sent = [record.validation.bytes for record in records if record.validation.bytes > 0] or [1.0, 1000.0]
    main.set_xlim(min(sent) / 1.25, max(sent) * 1.25)
    best = max((record.validation.quality for record in records), default=1.0)
    low, high = _span([best, *(_on_validation(record).quality for record in drawn)])
    strip.set_ylim(low, high)


def _span(values: Sequence[float]) -> tuple[float, float]:
    margin = max(0.1 * (max(values) - min(values)), 0.02)
    return max(0.0, min(values) - margin), min(1.0, max(values) + margin)
