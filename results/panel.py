"""Panel: everything that is known of one trial."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from results.naming import LABELS, duration, measure, modules, percent, place, sent_in_words
from results.plain_answers import is_image
from results.record import Finalist, RunInfo, TrialRecord
from search_spaces.config import Config

KINDS = {
    "search": "search trial",
    "anchor": "anchor, measured before the search",
    "along": "measured along with a search trial",
}
CLEARLY = 0.005
"""What is lost in quality before it is said."""


def trial_panel(record: TrialRecord, info: RunInfo, on_front: bool) -> RenderableType:
    """Return a panel of one trial: what it is, its configuration and its measurements side by side."""
    title = f"trial {record.number} of {info.name}: {place(record, info)}"
    parts: list[RenderableType] = [_facts(record, info, on_front), Text(), _measures(record, info)]
    if record.finalist is not None:
        parts += [Text(), _intervals(record.finalist, info)]
    if (worse := worse_refined(record, info)) is not None:
        parts.append(Text(worse))
    return Panel(Group(*parts), title=title, title_align="left", width=78)


def _facts(record: TrialRecord, info: RunInfo, on_front: bool) -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim")
    grid.add_column()
    standing = "on the front" if on_front else "not on the front"
    took = f"; took {duration(record.seconds)}" if record.kind != "along" else ""
    grid.add_row("kind", f"{KINDS[record.kind]}; {standing}{took}")
    if not record.feasible:
        grid.add_row("constraints", "not met")
    grid.add_row("sent", sent_in_words(record.config))
    if not is_image(record):
        grid.add_row("edge modules", f"{modules(record.config.edge_modules)} (kept in each block, by stage)")
    if side := record.config.resolution:
        grid.add_row("edge sees", f"{side} x {side} pixels of the image, reduced")
    if record.config.width:
        grid.add_row("cloud modules", str(record.config.cloud_modules))
    grid.add_row("distillation", _distillation(record.config))
    return grid


def _distillation(config: Config) -> str:
    terms = (("response", config.response), ("feature", config.feature), ("rate", config.rate))
    weights = ", ".join(f"{name} {weight:g}" for name, weight in terms if weight)
    heat = f"; temperature {config.temperature:g}" if config.response else ""
    return f"{weights}{heat} (task loss 1)" if weights else "none"


def _measures(record: TrialRecord, info: RunInfo) -> Table:
    finalist = record.finalist
    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column("measure")
    columns = [("validation", record.validation)]
    if finalist is not None:
        columns += [("refined, val", finalist.validation), ("refined, test", finalist.test)]
    for header, _ in columns:
        table.add_column(header, justify="right", no_wrap=True)
    for name in record.validation.to_dict():
        label = info.metric if name == "quality" else LABELS[name]
        table.add_row(label, *(_bare(name, measured[name]) for _, measured in columns))
    share = record.validation.edge_flops / info.whole_flops
    table.add_row("edge's share of the model", percent(share))
    return table


def _bare(name: str, value: float) -> str:
    return measure(name, value).removesuffix(" multiply-adds").removesuffix(" parameters")


def worse_refined(record: TrialRecord, info: RunInfo) -> str | None:
    """Return a sentence where refining lowered a trial's quality on validation by more than 0.005; else None."""
    if record.finalist is None:
        return None
    before, after = record.validation.quality, record.finalist.validation.quality
    if before - after <= CLEARLY:
        return None
    return f"Refining lowered its {info.metric} on validation from {before:.3f} to {after:.3f}."


def _intervals(finalist: Finalist, info: RunInfo) -> Text:
    low, high = finalist.quality_interval
    gap_low, gap_high = finalist.gap_interval
    return Text(
        f"95 % bootstrap intervals on test: {info.metric} {low:.3f} to {high:.3f};\n"
        f"difference from the cloud model (paired) {gap_low:+.3f} to {gap_high:+.3f}"
    )
