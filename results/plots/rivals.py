"""Rivals on the front's plot: light markers of their own, behind everything else."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes

from results.pareto import costs, non_dominated
from results.rival_point import RivalName, RivalPoint
from search_spaces.objective import DEFAULT_OBJECTIVES

LOOKS: dict[RivalName, tuple[str, str, float]] = {
    "edge only": ("p", "#e8a87c", 30),
    "plain cut": ("X", "#b9a38f", 26),
    "cascade": ("o", "#f3a6bd", 13),
    "fixed bottleneck": ("v", "#e6b23c", 30),
}
"""Marker, colour and size of each rival; images are drawn as their formats' curves already."""


def draw_rivals(strip: Axes, main: Axes, rivals: Sequence[RivalPoint]) -> None:
    """Draw each rival's own front on validation; what sends nothing lies on the strip."""
    for name, (marker, colour, size) in LOOKS.items():
        members = _front([point for point in rivals if point.rival == name])
        for axes, sending in ((strip, False), (main, True)):
            drawn = [point.validation for point in members if (point.validation.bytes > 0) == sending]
            axes.scatter(
                [figures.bytes for figures in drawn], [figures.quality for figures in drawn],
                s=size, marker=marker, color=colour, linewidths=0, alpha=0.8, zorder=1,
            )  # fmt: skip
        if members:
            main.scatter([], [], s=size, marker=marker, color=colour, linewidths=0, label=f"rival: {name}")


def _front(points: Sequence[RivalPoint]) -> list[RivalPoint]:
    kept = non_dominated(costs(points, DEFAULT_OBJECTIVES))
    return [point for point, keep in zip(points, kept, strict=True) if keep]
