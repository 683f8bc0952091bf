"""Style: the one palette, the figure and the file of every plot."""

from __future__ import annotations

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import Colormap, LinearSegmentedColormap
from matplotlib.figure import Figure

from deploy.atomic import atomic

INK = "#1d2433"
MUTED = "#6b7485"
FAINT = "#d5d9e0"
GRID = "#e9ecf1"
ACCENT = "#2f6fde"
FORMATS = {"jpeg": "#b5651d", "webp": "#c2407e", "avif": "#8a4bd1"}
MARKERS = {"jpeg": "s", "webp": "^", "avif": "D"}
DPI = 150


def share_colours() -> Colormap:
    """Return the colours of the edge's share of the model: pale for little, deep for all of it."""
    stops = ["#8fd3c1", "#3fa7b5", "#2a6fad", "#2b3f8c", "#1b1a4b"]
    return LinearSegmentedColormap.from_list("edge share", stops)


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure of that size in inches, drawn without a display."""
    figure = Figure(figsize=(width, height), dpi=DPI, facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def tidy(axes: Axes) -> None:
    """Give one pair of axes the plain look: light grid, no box, muted ticks."""
    axes.set_axisbelow(True)
    axes.grid(True, color=GRID, linewidth=0.8)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(FAINT)
    axes.tick_params(which="both", colors=MUTED, labelsize=9, length=3)
    axes.xaxis.label.set_color(INK)
    axes.yaxis.label.set_color(INK)


def headline(figure: Figure, title: str, subtitle: str) -> None:
    """Write the title and a muted line below it at the figure's upper left."""
    height = figure.get_figheight()
    figure.text(0.012, 1 - 0.12 / height, title, fontsize=13, fontweight="bold", color=INK, va="top")
    figure.text(0.012, 1 - 0.40 / height, subtitle, fontsize=9, color=MUTED, va="top")


def save(figure: Figure, path: Path) -> Path:
    """Write the figure as a PNG, atomically, and return the path."""
    with atomic(path) as temporary:
        figure.savefig(temporary, format="png", dpi=DPI)
    return path
