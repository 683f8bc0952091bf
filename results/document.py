"""The front as plain JSON values, the one form that files and machine-readable output share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from results.axes import axes
from results.hypervolume import hypervolume
from results.pareto import pareto_set
from results.plain_answers import plain_answers
from results.record import Finalist, RunInfo, TrialRecord
from results.summary import summarise, summary_dict, summary_lines
from search_spaces.objective import Objective

FORMAT = "eccsearch.pareto/1"
DIGITS = 10


def document(records: Sequence[TrialRecord], info: RunInfo) -> dict[str, Any]:
    """Return everything that pareto.json says of a run: the front, the plain answers, hypervolume and summary."""
    front = pareto_set(records, info.objectives)
    summary = summarise(records, front, info)
    return {
        "format": FORMAT,
        "run": {**asdict(info), "objectives": [asdict(Objective.named(name)) for name in info.objectives]},
        "flops": "multiply-adds for one sample, counted by fvcore",
        "trials": {kind: sum(record.kind == kind for record in records) for kind in ("search", "anchor", "along")},
        "hypervolume": {
            "value": round(hypervolume(records, info), DIGITS),
            "measured_on": "validation",
            "axes": [{"name": a.name, "axis": a.formula, "reference": a.reference} for a in axes(records, info)],
        },
        "summary": {**summary_dict(summary), "words": summary_lines(summary, info)},
        "members": [member(record) for record in front],
        "plain_answers": [member(record) for record in plain_answers(records, info)],
    }


def member(record: TrialRecord) -> dict[str, Any]:
    """Return one record as JSON values."""
    return {
        "trial": record.number,
        "kind": record.kind,
        "feasible": record.feasible,
        "seconds": record.seconds,
        "config": record.config.to_params(),
        "validation": record.validation.to_dict(),
        "finalist": _finalist(record.finalist) if record.finalist else None,
    }


def _finalist(finalist: Finalist) -> dict[str, Any]:
    return {
        "validation": finalist.validation.to_dict(),
        "test": finalist.test.to_dict(),
        "test_quality_interval": list(finalist.quality_interval),
        "test_gap_interval": list(finalist.gap_interval),
    }
