"""The two plain answers: everything on the edge, and everything in the cloud behind an image codec."""

from __future__ import annotations

from collections.abc import Sequence

from results.pareto import pareto_set
from results.record import RunInfo, TrialRecord


def is_image(record: TrialRecord) -> bool:
    """Return whether the record sends a compressed image and runs everything in the cloud."""
    return record.config.split == 0


def is_edge_only(record: TrialRecord, info: RunInfo) -> bool:
    """Return whether the record keeps every sample on the edge."""
    return record.config.split == info.splits and not record.config.gated


def is_shared(record: TrialRecord, info: RunInfo) -> bool:
    """Return whether edge and cloud both have a part: features are sent, or the edge answers some samples alone."""
    return not is_image(record) and not is_edge_only(record, info)


def is_split(record: TrialRecord) -> bool:
    """Return whether the model is split: features are sent, of every sample or of some."""
    return record.config.width > 0


def cloud_model(records: Sequence[TrialRecord], info: RunInfo) -> TrialRecord | None:
    """Return the record of the complete cloud model run on the edge, with every module; None if not measured."""
    whole = [
        record
        for record in records
        if is_edge_only(record, info)
        and not record.config.resolution
        and record.validation.edge_flops >= info.whole_flops * (1 - 1e-9)
    ]
    return whole[0] if whole else None


def image_frontiers(records: Sequence[TrialRecord]) -> dict[str, list[TrialRecord]]:
    """Return, for each image format, the records that no other one of it beats in quality and bytes."""
    images = [record for record in records if is_image(record)]
    formats = sorted({record.config.image_format for record in images})
    return {
        name: pareto_set([r for r in images if r.config.image_format == name], ("quality", "bytes"))
        for name in formats
    }


def edge_only_frontier(records: Sequence[TrialRecord], info: RunInfo) -> list[TrialRecord]:
    """Return the edge-only records that no other one beats in quality and edge FLOPs, by rising FLOPs."""
    on_edge = [record for record in records if is_edge_only(record, info)]
    return pareto_set(on_edge, ("quality", "edge_flops"))


def plain_answers(records: Sequence[TrialRecord], info: RunInfo) -> list[TrialRecord]:
    """Return the images of every format's frontier by rising bytes, then the edge-only frontier by rising FLOPs.

    Infeasible ones are left out, as from the front.
    """
    images = [record for members in image_frontiers(records).values() for record in members]
    images.sort(key=lambda record: (record.validation.bytes, record.number))
    return [*images, *edge_only_frontier(records, info)]
