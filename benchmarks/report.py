"""Report: what a benchmark found, as Markdown to paste or as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

Cell = str | int | float | bool | None


@dataclass(frozen=True)
class Table:
    """Rows of figures under a title."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]

    def markdown(self) -> str:
        """Return the table as Markdown."""
        lines = [self.columns, ("---",) * len(self.columns), *(tuple(map(shown, row)) for row in self.rows)]
        return "\n".join([f"**{self.title}**", "", *(f"| {' | '.join(line)} |" for line in lines)])


def shown(value: Cell) -> str:
    """Return a cell in words: four digits of a fraction, thousands apart, a dash for what is not known."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < 10_000 else f"{value:,.0f}"
    return f"{value:,}" if isinstance(value, int) else value


def emit(tables: Sequence[Table], as_json: bool) -> None:
    """Print the tables to stdout: unrounded as JSON, else as Markdown."""
    if as_json:
        found = {each.title: [dict(zip(each.columns, row, strict=True)) for row in each.rows] for each in tables}
        print(json.dumps(found, indent=2))
        return
    print("\n\n".join(each.markdown() for each in tables))
