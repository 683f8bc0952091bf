"""Tables and words of a search beside its rivals, for a terminal of 80 columns, and the same as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

from results.comparison import (
    BYTES_SAVED,
    DOMINATED,
    FLOPS_SAVED,
    MORE_HYPERVOLUME,
    TOLERANCE,
    Entry,
    Saving,
    View,
    front_of,
)
from results.naming import percent, si
from results.record import RunInfo
from results.rival_point import SPLIT_RIVALS, RivalPoint

FORMAT = "eccsearch.rivals/1"
NOTE = (
    "front: points that no other one of the same row beats. volume: hypervolume, as 'eccsearch pareto' counts it. "
    "beaten: of a split rival's front, those that a point of the search weakly dominates. Right of it: the point "
    f"within {TOLERANCE:g} of the cloud model that costs least, by the greater of its shares of the cheapest "
    "image's bytes and the cheapest edge-only multiply-adds."
)


def view_table(view: View, info: RunInfo) -> Table:
    """Return one view: a row for the search, one for each rival, one for all rivals together."""
    title = f"On {view.source}, the search {view.search}"
    table = Table(title=title, title_justify="left", title_style="bold", box=SIMPLE_HEAD, padding=0)
    for header in ("", "front", "volume", "beaten", info.metric, "bytes", "edge\nmadds", "which"):
        table.add_column(header, justify="left" if header in ("", "which") else "right", no_wrap=header != "which")
    table.add_row("search", *_row(view, view.searched))
    for name, entries in view.rivals.items():
        beaten = "/".join(map(str, view.dominated(name))) if name in SPLIT_RIVALS else "-"
        table.add_row(name, *_row(view, entries, beaten))
    together = [entry for entries in view.rivals.values() for entry in entries]
    table.add_row("all rivals", *_row(view, together))
    return table


def _row(view: View, entries: Sequence[Entry], beaten: str = "-") -> list[str]:
    nearest = view.nearest(entries)
    cells = [str(len(front_of(entries))), f"{view.volume(entries):.4f}", beaten]
    if nearest is None:
        return [*cells, "-", "-", "-", "none as good"]
    own = nearest.validation
    return [*cells, f"{own.quality:.3f}", si(own.bytes), si(own.edge_flops), nearest.words]


def view_lines(view: View) -> list[str]:
    """Return what a view says, one sentence a line."""
    where = f"On {view.source}, {view.search}:"
    lines = []
    if view.ratio is not None:
        lines.append(f"{where} {view.ratio:.3f} times the hypervolume of all rivals together.")
    if view.dominated_share is not None:
        lines.append(f"{where} {percent(view.dominated_share)} of the split rivals' points are weakly dominated.")
    return [*lines, *(f"{where} {_saving(each)}" for each in view.savings)]


def _saving(saving: Saving) -> str:
    if saving.best is None:
        return f"no split is as good as the cloud model ({saving.rule})."
    shares = (
        ("bytes than the cheapest image", saving.bytes),
        ("edge multiply-adds than the smallest edge-only model", saving.edge_flops),
    )
    words = " and ".join(_share(*each) for each in shares)
    return f"{saving.best.words} has {words} ({saving.rule})."


def _share(what: str, share: float | None) -> str:
    if share is None:
        return f"no rival to compare its {what.partition(' than')[0]} with"
    return f"{percent(abs(share))} {'fewer' if share >= 0 else 'more'} {what}"


def short_line(view: View) -> str:
    """Return one line that says how the search stands."""
    share = "" if view.dominated_share is None else (
        f" and weakly dominates {percent(view.dominated_share)} of the split rivals' points"
    )  # fmt: skip
    return (
        f"Rivals: on {view.source}, {view.search}, the search has {view.ratio or 0:.3f} times their hypervolume"
        f"{share}; 'eccsearch rivals' says more."
    )


def rivals_document(views: Sequence[View], info: RunInfo, points: Sequence[RivalPoint]) -> dict[str, Any]:
    """Return the comparison and every rival's point as JSON values."""
    return {
        "format": FORMAT,
        "run": info.name,
        "metric": info.metric,
        "tolerance": TOLERANCE,
        "wanted": {
            "hypervolume_ratio": MORE_HYPERVOLUME,
            "dominated": DOMINATED,
            "bytes_saved": BYTES_SAVED,
            "edge_flops_saved": FLOPS_SAVED,
        },
        "views": [_view(view) for view in views],
        "points": [point.to_dict() for point in points],
    }


def _view(view: View) -> dict[str, Any]:
    return {
        "measured_on": view.source,
        "search": view.search,
        "cloud_quality": view.cloud,
        "axes": [{"name": a.name, "axis": a.formula, "reference": a.reference} for a in view.axes],
        "hypervolume": {
            "search": view.hypervolume,
            **{name: view.volume(entries) for name, entries in view.rivals.items()},
            "all rivals": view.union,
            "ratio": view.ratio,
        },
        "dominated": {
            **{name: view.dominated(name) for name in view.rivals if name in SPLIT_RIVALS},
            "share": view.dominated_share,
        },
        "savings": [_saving_dict(saving) for saving in view.savings],
    }


def _saving_dict(saving: Saving) -> dict[str, Any]:
    parts = {"best": saving.best, "image": saving.image, "edge_only": saving.edge_only}
    return {
        "rule": saving.rule,
        **{name: _named(entry) if entry else None for name, entry in parts.items()},
        "bytes_saved": saving.bytes,
        "edge_flops_saved": saving.edge_flops,
    }


def _named(entry: Entry) -> dict[str, Any]:
    figures = entry.validation
    return {
        "which": entry.words,
        "quality": figures.quality,
        "edge_flops": figures.edge_flops,
        "bytes": figures.bytes,
        "gap_interval": entry.gap,
    }
