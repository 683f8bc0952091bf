"""Parallel coordinates: the front's members from their parameters to what they cost."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.path import Path as Curve

from results.naming import byte_count, percent
from results.pareto import pareto_set
from results.plain_answers import is_image, is_shared, is_split
from results.plots.style import FAINT, INK, MUTED, headline, new_figure, share_colours
from results.record import RunInfo, TrialRecord

UNUSED = -0.13
PAYLOADS = ("features", "image", "dynamic")


@dataclass(frozen=True)
class Column:
    """One vertical axis: where a record lies on it (None where it is inactive) and what its ticks say."""

    title: str
    value: Callable[[TrialRecord], float | None]
    label: Callable[[float], str]
    discrete: bool


def parallel_figure(records: Sequence[TrialRecord], info: RunInfo) -> Figure:
    """Draw every front member as one line, coloured by quality; inactive parameters lie on the row below."""
    front = pareto_set(records, info.objectives)
    columns = [column for column in _columns(info, front) if _varies(column, front, info)]
    figure = new_figure(11.0, 5.2)
    panel = figure.add_axes((0.035, 0.05, 0.875, 0.73))
    qualities = [record.validation.quality for record in front] or [0.0, 1.0]
    norm = Normalize(float(np.quantile(qualities, 0.15)), max(qualities), clip=True)
    places = [_places(column, front) for column in columns]
    _draw_axes(panel, columns, front)
    for row in np.argsort([record.validation.quality for record in front]):
        heights = [column[row] for column in places]
        _draw_line(panel, heights, share_colours()(norm(front[row].validation.quality)))
    cax = figure.add_axes((0.945, 0.14, 0.011, 0.6))
    bar = figure.colorbar(ScalarMappable(norm, share_colours()), cax=cax, extend="min")
    bar.ax.set_title(info.metric, fontsize=9, color=INK, pad=6)
    bar.ax.tick_params(colors=MUTED, labelsize=8.5, length=2)
    bar.outline.set_visible(False)
    headline(
        figure,
        f"{info.name}: the front from parameters to costs",
        f"{len(front)} members, validation; the lowest row: the parameter is not used (images, all on the edge)",
    )
    return figure


def _columns(info: RunInfo, front: Sequence[TrialRecord]) -> list[Column]:
    def bottleneck(name: str) -> Callable[[TrialRecord], float | None]:
        return lambda r: float(getattr(r.config, name)) if is_split(r) else None

    def weight(name: str) -> Callable[[TrialRecord], float | None]:
        return lambda r: None if is_image(r) else float(getattr(r.config, name))

    def plain(value: float) -> str:
        return f"{value:g}"

    seen = Column("edge's image\n(side)", partial(_seen, info), plain, True)
    return [
        Column("split\npoint", lambda r: float(r.config.split), plain, True),
        *([seen] if any(record.config.resolution for record in front) else []),
        Column("edge modules\n(mean)", _mean_modules, lambda value: f"{value:.1f}", False),
        *(Column(name, bottleneck(name), plain, True) for name in ("width", "stride", "bits")),
        *(Column(f"{name}\nweight", weight(name), plain, True) for name in ("response", "feature")),
        Column("rate\nweight", bottleneck("rate"), plain, True),
        Column("offload", lambda r: r.config.offload if is_shared(r, info) else None, percent, True),
        Column("payload", _payload, lambda value: PAYLOADS[int(value)], True),
        Column("edge share\nof FLOPs", lambda r: r.validation.edge_flops / info.whole_flops, percent, False),
        Column("bytes\n(log)", _log_bytes, lambda v: byte_count(round(10**v - 1)), False),
        Column(info.metric, lambda r: r.validation.quality, lambda value: f"{value:.2f}", False),
    ]


def _varies(column: Column, front: Sequence[TrialRecord], info: RunInfo) -> bool:
    """Return False for a parameter that is fixed for all that share the model: it tells nothing."""
    return not column.discrete or len({column.value(record) for record in front if is_shared(record, info)}) != 1


def _mean_modules(record: TrialRecord) -> float | None:
    counts = record.config.edge_modules
    return None if is_image(record) or not counts else float(np.mean(counts))


def _seen(info: RunInfo, record: TrialRecord) -> float | None:
    """Return the side of the image that the edge's blocks see; the whole one has three bytes a pixel."""
    return None if is_image(record) else float(record.config.resolution or round((info.raw_bytes / 3) ** 0.5))


def _payload(record: TrialRecord) -> float | None:
    return float(PAYLOADS.index(record.config.payload)) if record.config.gated else None


def _log_bytes(record: TrialRecord) -> float:
    return float(np.log10(1 + record.validation.bytes))


def _range(column: Column, front: Sequence[TrialRecord]) -> tuple[float, float]:
    values = [value for value in map(column.value, front) if value is not None] or [0.0]
    return min(values), max(values)


def _height(value: float, low: float, high: float) -> float:
    return (value - low) / (high - low) if high > low else 0.5


def _places(column: Column, front: Sequence[TrialRecord]) -> list[float]:
    """Return each record's height; equal discrete values are spread a little so that lines stay apart."""
    low, high = _range(column, front)
    values = [column.value(record) for record in front]
    heights = [UNUSED if value is None else _height(value, low, high) for value in values]
    spread = np.linspace(-0.012, 0.012, len(front)) if column.discrete else np.zeros(len(front))
    return [float(height + shift) for height, shift in zip(heights, spread, strict=True)]


def _draw_axes(panel: Axes, columns: Sequence[Column], front: Sequence[TrialRecord]) -> None:
    panel.set_axis_off()
    panel.set_xlim(-0.35, len(columns) - 0.55)
    panel.set_ylim(UNUSED - 0.05, 1.03)
    for x, column in enumerate(columns):
        panel.vlines(x, 0, 1, color=MUTED, linewidth=1, zorder=3)
        panel.text(x, 1.05, column.title, ha="center", va="bottom", fontsize=9, color=INK, clip_on=False)
        for value, height in _ticks(column, front):
            panel.text(
                x - 0.05, height, column.label(value), ha="right", va="center", fontsize=8, color=INK, zorder=5,
                bbox={"facecolor": "white", "alpha": 0.75, "linewidth": 0, "pad": 0.8},
            )  # fmt: skip
    panel.hlines(UNUSED, -0.1, len(columns) - 0.9, color=FAINT, linewidth=1, linestyle=(0, (2, 3)), zorder=1)
    panel.text(-0.05, UNUSED, "not used", ha="right", va="center", fontsize=8, color=MUTED)


def _ticks(column: Column, front: Sequence[TrialRecord]) -> list[tuple[float, float]]:
    low, high = _range(column, front)
    present = sorted({value for value in map(column.value, front) if value is not None})
    values = present if column.discrete and len(present) <= 17 else list(np.linspace(low, high, 5))
    ticks: list[tuple[float, float]] = []
    for value in values if high > low else present[:1]:
        height = _height(value, low, high)
        if not ticks or height - ticks[-1][1] > 0.045:
            ticks.append((value, height))
    return ticks


def _draw_line(panel: Axes, heights: Sequence[float], colour: tuple[float, float, float, float]) -> None:
    vertices, codes = [(0.0, heights[0])], [Curve.MOVETO]
    for x, (here, there) in enumerate(itertools.pairwise(heights)):
        vertices += [(x + 0.45, here), (x + 0.55, there), (x + 1.0, there)]
        codes += [Curve.CURVE4] * 3
    patch = PathPatch(
        Curve(vertices, codes), facecolor="none", edgecolor=colour, linewidth=1.3, alpha=0.75, zorder=2
    )
    panel.add_patch(patch)
