"""Importances: what each parameter does to each objective, as bars."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from results.importance import FEWEST, METHOD, importances
from results.naming import LABELS, percent
from results.plots.style import ACCENT, FAINT, INK, MUTED, headline, new_figure, tidy
from results.record import RunInfo, TrialRecord


def importances_figure(records: Sequence[TrialRecord], info: RunInfo) -> Figure:
    """Draw one panel an objective with a bar a parameter; a plain sentence where there are too few trials."""
    shares = importances(records, info)
    count = sum(record.kind == "search" for record in records)
    if not shares:
        return _too_few(info, count)
    names = _ranked(shares)
    figure = new_figure(max(9.2, 2.2 + 2.3 * len(shares)), 1.25 + 0.27 * len(names))
    top, bottom = 1 - 0.95 / figure.get_figheight(), 0.25 / figure.get_figheight()
    grid = figure.add_gridspec(1, len(shares), left=0.17, right=0.97, top=top, bottom=bottom, wspace=0.12)
    for place, (objective, values) in enumerate(shares.items()):
        panel = figure.add_subplot(grid[place])
        _bars(panel, [values[name] for name in names])
        panel.set_title(info.metric if objective == "quality" else LABELS[objective], fontsize=10, color=INK)
        panel.set_yticks(range(len(names)), names if place == 0 else [""] * len(names))
    headline(figure, f"{info.name}: parameter importances", f"{METHOD}; {count} search trials, validation")
    return figure


def _ranked(shares: dict[str, dict[str, float]]) -> list[str]:
    names = list(next(iter(shares.values())))
    return sorted(names, key=lambda name: -sum(values[name] for values in shares.values()))


def _bars(panel: Axes, values: Sequence[float]) -> None:
    tidy(panel)
    panel.grid(False)
    rows = np.arange(len(values))
    panel.barh(rows, values, height=0.68, color=[ACCENT if value >= 0.005 else FAINT for value in values])
    longest = max([*values, 0.01])
    for row, value in enumerate(values):
        panel.text(value + longest * 0.02, row, percent(value), va="center", fontsize=8, color=MUTED)
    panel.set_xlim(0, longest * 1.25)
    panel.set_ylim(len(values) - 0.4, -0.6)
    panel.set_xticks([])
    panel.spines["bottom"].set_visible(False)
    panel.tick_params(axis="y", length=0, labelcolor=INK)


def _too_few(info: RunInfo, count: int) -> Figure:
    figure = new_figure(9.2, 2.0)
    headline(figure, f"{info.name}: parameter importances", METHOD)
    words = f"{count} search trials say too little: at least {FEWEST} with differing parameters are needed"
    figure.text(0.5, 0.35, words, ha="center", fontsize=11, color=INK)
    return figure
