"""Files: pareto.json and pareto.csv, written atomically."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from deploy.atomic import atomic
from results.document import document, member
from results.pareto import pareto_set
from results.record import RunInfo, TrialRecord


def write_files(records: Sequence[TrialRecord], info: RunInfo, folder: Path) -> list[Path]:
    """Write pareto.json and pareto.csv below ``folder`` and return their paths."""
    texts = {"pareto.json": json_text(records, info), "pareto.csv": csv_text(records, info)}
    for name, text in texts.items():
        with atomic(folder / name) as path:
            path.write_text(text, encoding="utf-8")
    return [folder / name for name in texts]


def json_text(records: Sequence[TrialRecord], info: RunInfo) -> str:
    """Return pareto.json: see ``results.document``."""
    return json.dumps(document(records, info), indent=2, allow_nan=False) + "\n"


def csv_text(records: Sequence[TrialRecord], info: RunInfo) -> str:
    """Return pareto.csv: a row for every member of the front, empty cells where it was not measured on test.

    Columns are prefixed: ``config.``, ``validation.`` (the search's), ``refined_validation.`` and ``test.``.
    """
    return _csv([csv_row(record) for record in pareto_set(records, info.objectives)])


def record_json(record: TrialRecord) -> str:
    """Return one record as JSON."""
    return json.dumps(member(record), indent=2, allow_nan=False) + "\n"


def record_csv(record: TrialRecord) -> str:
    """Return one record as CSV with the columns of pareto.csv."""
    return _csv([csv_row(record)])


def _csv(rows: Sequence[dict[str, Any]]) -> str:
    columns = _grouped(list(dict.fromkeys(name for row in rows for name in row))) or ["trial"]
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _grouped(columns: Sequence[str]) -> list[str]:
    """Return columns with those of one prefix side by side: a row may have some that those above it lack."""
    prefixes = list(dict.fromkeys(name.partition(".")[0] for name in columns))
    return sorted(columns, key=lambda name: prefixes.index(name.partition(".")[0]))


def csv_row(record: TrialRecord) -> dict[str, Any]:
    """Return one record as flat columns."""
    row: dict[str, Any] = {"trial": record.number, "kind": record.kind, "seconds": record.seconds}
    row |= {f"config.{name}": value for name, value in record.config.to_params().items()}
    row |= {f"validation.{name}": value for name, value in record.validation.to_dict().items()}
    if (finalist := record.finalist) is not None:
        row |= {f"refined_validation.{name}": value for name, value in finalist.validation.to_dict().items()}
        row |= {f"test.{name}": value for name, value in finalist.test.to_dict().items()}
        row |= dict(zip(("test.quality_low", "test.quality_high"), finalist.quality_interval, strict=True))
        row |= dict(zip(("test.gap_low", "test.gap_high"), finalist.gap_interval, strict=True))
    return row
