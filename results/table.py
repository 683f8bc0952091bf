"""Tables of the front for a terminal of 80 columns."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from results.naming import UNITS, modules, sent, si
from results.plain_answers import plain_answers
from results.record import RunInfo, TrialRecord
from results.summary import shown
from search_spaces.config import Config

Cell = Callable[[TrialRecord], str]
SHORT = {
    "cloud_flops": "cloud\nmadds",
    "edge_params": "edge\nparams",
    "edge_memory": "edge\nmemory",
    "latency": "latency\nms",
    "latency_p50": "p50\nms",
    "latency_p95": "p95\nms",
    "energy": "energy\nmJ",
}
NOTE = (
    "val: the search's figure on validation; test: the refined finalist's, its bootstrap 95 % interval. "
    "madds: multiply-adds on the edge for one sample (fvcore). sent: channels/stride and bits, "
    "or image format, quality@side. modules: kept in each stage on the edge."
)
ROWS = 32
"""Of a front that is not printed whole."""
SIDE_NOTE = " split 4@48: the edge sees the image reduced to 48 x 48 pixels."


def front_table(front: Sequence[TrialRecord], info: RunInfo, title: str | None = None) -> Table:
    """Return the front as a table: where it is cut, what is sent, quality and bytes on validation and test."""
    table = Table(title=title, title_justify="left", title_style="bold", box=SIMPLE_HEAD, padding=0)
    columns = _columns(info, front)
    for header, justify, _ in columns:
        # Where the terminal is too narrow, no figure is cut off: what is sent takes two lines.
        table.add_column(header, justify="left" if justify == "left" else "right", no_wrap=header != "sent")
    for record in front:
        table.add_row(*(cell(record) for _, _, cell in columns))
    return table


def run_table(
    records: Sequence[TrialRecord], front: Sequence[TrialRecord], info: RunInfo, whole: bool = False
) -> RenderableType:
    """Return the front and, below it, the two plain answers, with a line that says what the columns mean.

    Args:
        records: All trials.
        front: The front, in its order.
        info: The run.
        whole: Every member has a row, else at most ``ROWS`` of them and those that were measured on test.
    """
    members = f"{len(front)} member{'s' if len(front) != 1 else ''}"
    told = list(front) if whole else telling(front, ROWS)
    if len(told) < len(front):
        members += f"; {len(told)} are shown, all that were tested among them (--all shows every one)"
    plain = plain_answers(records, info)
    note = NOTE + (SIDE_NOTE if any(record.config.resolution for record in (*front, *plain)) else "")
    return Group(
        front_table(told, info, f"Pareto set of {info.name}: {members}"),
        _plain_table(plain, info),
        Text(note, style="dim"),
    )


def _plain_table(plain: Sequence[TrialRecord], info: RunInfo) -> RenderableType:
    if not plain:
        return Text("Neither plain answer, an image or all on the edge, was measured within the constraints.\n")
    return front_table(plain, info, "The two plain answers: an image, or all on the edge")


def compact_table(front: Sequence[TrialRecord], info: RunInfo, rows: int) -> Table:
    """Return at most ``rows`` members, spread evenly along the front, with their validation figures."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    columns = [column for column in _columns(info, front) if not column[0].endswith(("test", "±"))]
    for header, justify, _ in columns:
        table.add_column(header.replace("\n", " "), justify="left" if justify == "left" else "right", no_wrap=True)
    for record in _spread(front, rows):
        table.add_row(*(cell(record) for _, _, cell in columns))
    return table


def telling(front: Sequence[TrialRecord], rows: int) -> list[TrialRecord]:
    """Return the members that were measured on test and, evenly along the front, others to make ``rows``."""
    others = [record for record in front if record.finalist is None]
    spread = _spread(others, max(0, rows - (len(front) - len(others))))
    kept = {record.number for record in spread}
    return [record for record in front if record.finalist or record.number in kept]


def _spread(front: Sequence[TrialRecord], rows: int) -> list[TrialRecord]:
    if len(front) <= rows:
        return list(front)
    step = (len(front) - 1) / max(rows - 1, 1)
    return [front[round(place * step)] for place in range(rows)]


def _columns(info: RunInfo, front: Sequence[TrialRecord]) -> list[tuple[str, str, Cell]]:
    extra = [name for name in info.objectives if name in SHORT]
    # Who gave a profile wants to see what it says, also where it is no objective.
    if "latency" not in extra and len(extra) < 2 and any(record.validation.latency is not None for record in front):
        extra.append("latency")
    columns: list[tuple[str, str, Cell]] = [
        ("trial", "right", lambda r: str(r.number)),
        (f"split\nof {info.splits}", "right", lambda r: _split(r.config)),
        ("sent", "left", lambda r: sent(r.config)),
        (f"{info.metric}\nval", "right", lambda r: f"{r.validation.quality:.3f}"),
        (f"{info.metric}\ntest", "right", lambda r: _test(r, "quality")),
        ("bytes\nval", "right", lambda r: si(r.validation.bytes)),
        ("edge\nmadds", "right", lambda r: si(r.validation.edge_flops).replace(" ", "")),
    ]
    if len(extra) < 2:
        columns.insert(2, ("modules", "left", lambda r: modules(r.config.edge_modules) if r.config.split else "-"))
    if not extra:
        columns.insert(-2, ("95 %\n±", "right", _half_width))
        columns.insert(-1, ("bytes\ntest", "right", lambda r: _test(r, "bytes")))
    return columns + [(SHORT[name], "right", _extra(name)) for name in extra]


def _split(config: Config) -> str:
    return f"{config.split}@{config.resolution}" if config.resolution else str(config.split)


def _half_width(record: TrialRecord) -> str:
    if record.finalist is None:
        return "-"
    low, high = record.finalist.quality_interval
    return f"{(high - low) / 2:.3f}"


def _extra(name: str) -> Cell:
    return lambda record: f"{record.validation[name]:.3g}" if name in UNITS else si(record.validation[name])


def _test(record: TrialRecord, name: str) -> str:
    measured, source = shown(record)
    if source != "test":
        return "-"
    return f"{measured.quality:.3f}" if name == "quality" else si(measured[name])
