"""Bundling: a run's trial out of the house, and the proof that what left is what was searched."""

from __future__ import annotations

import sys
from pathlib import Path

from automl.chosen import RETRAINED, SEARCHED, Chosen, chosen_trial
from automl.reporters.plain import PlainReporter
from automl.run_folder import RunFolder
from automl.settings import RunSettings
from deploy.bundle import Bundle
from deploy.errors import UserError
from results.chooser import Choice
from results.export import export_bundle
from results.naming import byte_count, si
from results.panel import worse_refined
from results.verify import verify_bundle as compare


def export_trial(
    settings: RunSettings, number: int | None, choice: Choice, out: Path, accept: frozenset[str] = frozenset()
) -> list[str]:
    """Write a trial of a run as a bundle and return what to tell the user.

    Raises:
        UserError: no such trial, ``out`` cannot be a bundle, or what shaped the run has changed.
    """
    found = chosen_trial(settings, number, choice, PlainReporter(sys.stdout), accept=accept)
    origin: dict[str, str | int] = {"run": settings.name, "trial": found.record.number, "weights": found.origin}
    bundle = export_bundle(
        found.candidate.derived,
        found.plan.task,
        out,
        found.candidate.tables,
        _metrics(found),
        origin,
        found.candidate.threshold,
    )
    size = sum(entry.bytes for entry in bundle.manifest.files.values())
    split, last = list(bundle.manifest.metrics.items())[-1]
    return [
        f"Trial {found.record.number} with {found.origin} written to {out}/ ({byte_count(size)}).",
        f"{found.plan.task.metric} {last['quality']:.3f} on {split}, {byte_count(last['bytes'])} a sample, "
        f"{si(last['edge_flops'])} edge multiply-adds.",
        *filter(None, [worse_refined(found.record, found.plan.info())]),
        f"Check it with: eccsearch verify {out}    Use it with: eccsearch predict {out} picture.jpg",
    ]


def verify_bundle(path: Path, root: Path, accept: frozenset[str] = frozenset()) -> tuple[bool, list[str]]:
    """Compare a bundle with the trial it was exported from; return whether it is that trial, and what to print.

    Raises:
        UserError: the bundle is damaged, its run is not below ``root``, or what shaped the run has changed.
    """
    bundle = Bundle.open(path)
    origin = bundle.manifest.origin
    if not origin:
        raise UserError(f"bundle '{path}' does not say which run it comes from; export it with 'eccsearch export'")
    settings = RunSettings.load(RunFolder(root, str(origin["run"])))
    weights, reporter = str(origin["weights"]), PlainReporter(sys.stdout)
    found = chosen_trial(settings, int(origin["trial"]), Choice(), reporter, weights, accept)
    candidate = found.candidate
    report = compare(
        bundle, candidate.derived, found.plan.task, threads=settings.threads, threshold=candidate.threshold
    )
    return report.passed, report.lines()


def _metrics(found: Chosen) -> dict[str, dict[str, float]]:
    finalist = found.record.finalist
    if finalist is None or found.origin in (SEARCHED, RETRAINED):
        return {"validation": found.record.validation.to_dict()}
    return {"validation": finalist.validation.to_dict(), "test": finalist.test.to_dict()}
