"""Summary: whether splitting the model pays, in numbers and in words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from evaluators.measurement import Measurement
from results.naming import byte_count, percent, si
from results.plain_answers import cloud_model, is_edge_only, is_image, is_shared, is_split
from results.record import RunInfo, TrialRecord

TOLERANCE = 0.02
Source = Literal["test", "validation"]


@dataclass(frozen=True)
class QualityRule:
    """When a record is as good as the cloud model.

    A record measured on test: the lower end of the paired bootstrap 95 % interval of (its quality - the cloud
    model's) is at least -``tolerance``. A record measured on validation alone: the difference is.
    """

    tolerance: float
    cloud: TrialRecord

    @property
    def is_void(self) -> bool:
        """Whether an answer that is never right would be as good."""
        return shown(self.cloud)[0].quality <= self.tolerance

    def met(self, record: TrialRecord) -> bool:
        """Return whether the record is within the tolerance of the cloud model."""
        if record.finalist is not None:
            return record.finalist.gap_interval[0] >= -self.tolerance
        return record.validation.quality - self.cloud.validation.quality >= -self.tolerance

    def __str__(self) -> str:
        return (
            f"quality within {self.tolerance:g} of the cloud model: on test, the paired bootstrap 95 % interval of "
            f"the difference lies above -{self.tolerance:g}; where a configuration was measured on validation "
            "alone, the difference does"
        )


@dataclass(frozen=True)
class Saving:
    """What one shared configuration saves against the cheapest plain answers that meet the same rule.

    Attributes:
        record: The configuration.
        image: The image of fewest bytes; None if no image meets the rule.
        edge_only: The edge-only configuration of fewest multiply-adds.
        bytes: Share of the image's bytes saved, negative where more are sent; None without an image.
        edge_flops: Share of the edge-only configuration's multiply-adds saved.
    """

    record: TrialRecord
    image: TrialRecord | None
    edge_only: TrialRecord
    bytes: float | None
    edge_flops: float

    @property
    def worst(self) -> float:
        """The smaller of the two savings; it beats the plain answers when it is positive."""
        return min(1.0 if self.bytes is None else self.bytes, self.edge_flops)

    @property
    def beats(self) -> bool:
        """Whether it sends fewer bytes than the image and computes less than the edge-only configuration."""
        return self.worst > 0


@dataclass(frozen=True)
class Summary:
    """The savings of every shared configuration that is as good as the cloud model, best first.

    Attributes:
        rule: What "as good" means; None where the cloud model itself was not measured.
        savings: By falling smaller saving.
        refined: Whether the front has been measured on test.
        shared: How many such configurations have been measured, good or not.
    """

    rule: QualityRule | None
    savings: tuple[Saving, ...]
    refined: bool
    shared: int


def shown(record: TrialRecord) -> tuple[Measurement, Source]:
    """Return the measurement that conclusions use, and its data split: test for a finalist, else validation."""
    if record.finalist is not None:
        return record.finalist.test, "test"
    return record.validation, "validation"


def summarise(
    records: Sequence[TrialRecord], front: Sequence[TrialRecord], info: RunInfo, tolerance: float = TOLERANCE
) -> Summary:
    """Compare the front's shared configurations with the cheapest plain answers of the same quality.

    Args:
        records: Every finished trial; the plain answers are taken from all of them, on the front or not.
        front: The Pareto set.
        info: The run.
        tolerance: How far below the cloud model's quality still counts.
    """
    refined = any(record.finalist is not None for record in front)
    cloud = cloud_model(records, info)
    shared = sum(is_shared(record, info) for record in records)
    if cloud is None:
        return Summary(None, (), refined, shared)
    rule = QualityRule(tolerance, cloud)
    good = [record for record in records if rule.met(record)]
    image = _cheapest([r for r in good if is_image(r)], lambda m: m.bytes)
    edge_only = _cheapest([r for r in good if is_edge_only(r, info)], lambda m: m.edge_flops) or cloud
    candidates = [r for r in front if is_shared(r, info) and rule.met(r) and (r.finalist or not refined)]
    savings = [_saving(record, image, edge_only) for record in candidates]
    return Summary(rule, tuple(sorted(savings, key=lambda s: -s.worst)), refined, shared)


def _cheapest(records: Sequence[TrialRecord], cost: Callable[[Measurement], float]) -> TrialRecord | None:
    return min(records, key=lambda record: cost(shown(record)[0]), default=None)


def _saving(record: TrialRecord, image: TrialRecord | None, edge_only: TrialRecord) -> Saving:
    own = shown(record)[0]
    image_bytes = shown(image)[0].bytes if image else 0.0
    bytes_saved = 1 - own.bytes / image_bytes if image_bytes else None
    return Saving(record, image, edge_only, bytes_saved, 1 - own.edge_flops / shown(edge_only)[0].edge_flops)


def summary_lines(summary: Summary, info: RunInfo) -> list[str]:
    """Return the summary in words, one sentence a line."""
    if summary.rule is None:
        return ["The cloud model itself was not measured, so nothing can be said about splits of its quality."]
    if not summary.shared:
        return ["No split has been measured yet, so nothing can be said about whether splitting pays."]
    if summary.rule.is_void:
        return [
            f"The cloud model's own {info.metric} is {shown(summary.rule.cloud)[0].quality:.3f}: to be within "
            f"{summary.rule.tolerance:g} of it says nothing. Train it longer: --cloud-steps, --weights."
        ]
    split = "test" if summary.refined else "validation, before the front is refined"
    lines = [f"Measured on {split}. {_capital(str(summary.rule))}."]
    if not summary.savings:
        tolerance, (cloud, source) = summary.rule.tolerance, shown(summary.rule.cloud)
        none = "none that was refined" if summary.refined else "none on the front"
        return [
            *lines,
            f"No split beats the plain answers: {none} is within {tolerance:g} of the cloud model, "
            f"whose {info.metric} is {cloud.quality:.3f} ({source}).",
        ]
    best = _told(summary)
    lines.append(_verdict(summary, best))
    lines.append(_rivals(best, info))
    return lines


def _told(summary: Summary) -> Saving:
    """Return the configuration that is told of: the best split that beats the plain answers, else the best."""
    split = [saving for saving in summary.savings if saving.beats and is_split(saving.record)]
    return (split or summary.savings)[0]


def _verdict(summary: Summary, best: Saving) -> str:
    winners = [saving for saving in summary.savings if saving.beats]
    split = [saving for saving in winners if is_split(saving.record)]
    all_split = all(is_split(saving.record) for saving in summary.savings)
    kind, short = ("split configuration", "split") if all_split else ("shared configuration",) * 2
    of = f"{len(summary.savings)} {kind}{'s' if len(summary.savings) != 1 else ''} of that quality"
    number, has = best.record.number, f"has {_compared(best)}"
    if not winners:
        return f"No {short} beats the plain answers: of {of}, the best one, trial {number}, {has}."
    beat = f"{len(winners)} of {of} beat{'s' if len(winners) == 1 else ''} both plain answers"
    if not split:
        return f"A gate pays: {beat}, sending images of what the edge does not answer; trial {number} {has}."
    some = "" if len(split) == len(winners) else f", {len(split)} of them by sending features"
    return f"Splitting pays: {beat}{some}; trial {number} {has}."


def _compared(saving: Saving) -> str:
    flops = f"{_fewer(saving.edge_flops, 'edge multiply-adds')} than the cheapest edge-only configuration"
    if saving.bytes is None:
        return f"{flops}, while no image that was measured has that quality"
    return f"{flops} and {_fewer(saving.bytes, 'bytes')} than the cheapest image"


def _fewer(share: float, what: str) -> str:
    return f"{percent(abs(share))} {'fewer' if share >= 0 else 'more'} {what}"


def _rivals(saving: Saving, info: RunInfo) -> str:
    own = _figures(saving.record, info)
    edge = f"edge-only trial {saving.edge_only.number}: {_figures(saving.edge_only, info)}"
    if saving.image is None:
        return f"Trial {saving.record.number}: {own}; {edge}."
    config = saving.image.config
    codec = f"{config.image_format} at quality {config.image_quality} and {config.image_resolution} pixels"
    return f"Trial {saving.record.number}: {own}; {codec}: {_figures(saving.image, info)}; {edge}."


def _figures(record: TrialRecord, info: RunInfo) -> str:
    measured, source = shown(record)
    return (
        f"{info.metric} {measured.quality:.3f} ({source}), {byte_count(measured.bytes)}, "
        f"{si(measured.edge_flops)} multiply-adds"
    )


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]


def summary_dict(summary: Summary) -> dict[str, Any]:
    """Return the summary as JSON: the rule in words and the savings by trial number."""
    split = [saving for saving in summary.savings if is_split(saving.record)]
    gated = [saving for saving in summary.savings if saving.record.config.gated]
    known = summary.rule is not None and summary.shared > 0 and not summary.rule.is_void
    return {
        "rule": str(summary.rule) if summary.rule else None,
        "tolerance": summary.rule.tolerance if summary.rule else None,
        "measured_on": "test" if summary.refined else "validation",
        "splitting_pays": any(saving.beats for saving in split) if known else None,
        "gate_pays": any(saving.beats for saving in gated) if known else None,
        "savings": [
            {
                "trial": saving.record.number,
                "bytes_saved": saving.bytes,
                "edge_flops_saved": saving.edge_flops,
                "cheapest_image": saving.image.number if saving.image else None,
                "cheapest_edge_only": saving.edge_only.number,
            }
            for saving in summary.savings
        ],
    }
