"""Realistic records: a smooth trade-off, anchors at both ends, and finalists with intervals."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

from evaluators.measurement import Measurement
from results.pareto import pareto_set
from results.record import Finalist, RunInfo, TrialRecord
from search_spaces.config import Config

WHOLE = 61.4e6
SIDE = 96
SPLITS = 9
CLOUD_QUALITY = 0.742
INFO = RunInfo(
    "detection", "detection", "mAP", ("quality", "edge_flops", "bytes"), SPLITS, WHOLE, 3.0 * SIDE * SIDE
)


def record(
    number: int, quality: float, edge_flops: float, size: float, cut: int = 4, **changes: Any
) -> TrialRecord:
    """One search trial with three measures of its own; ``changes`` are fields of the TrialRecord."""
    measured = Measurement(quality, edge_flops, size, WHOLE - edge_flops, 1e5, 4e5)
    made = TrialRecord(number, "search", Config(cut, (4, 4, 4, 4), 4, 8, 1, 4), measured, seconds=2.0)
    return replace(made, **changes)


def measured_on_test(made: TrialRecord, quality: float, gap: tuple[float, float]) -> TrialRecord:
    """The trial as a finalist with this test quality and this interval of the gap to the cloud model."""
    test = replace(made.validation, quality=quality)
    return replace(made, finalist=Finalist(made.validation, test, (quality - 0.02, quality + 0.02), gap))


def image(number: int, image_format: str, quality: int, resolution: int) -> TrialRecord:
    shrink = resolution / SIDE
    gain = {"jpeg": 1.0, "webp": 1.25, "avif": 1.4}[image_format]
    size = {"jpeg": 480, "webp": 390, "avif": 360}[image_format] * shrink**1.6 * (quality / 20) ** 0.75 + 40
    value = CLOUD_QUALITY * shrink**0.35 * (1 - 0.5 * math.exp(-gain * quality / 17))
    config = Config(
        0, (4, 4, 4, 4), 4, image_format=image_format, image_quality=quality, image_resolution=resolution
    )
    return TrialRecord(number, "anchor", config, Measurement(value, 0.0, size, WHOLE, 0.0, 0.0), seconds=0.8)


def edge_only(number: int, counts: tuple[int, ...], kind: str = "anchor", rng: np.random.Generator | None = None):
    share = sum(counts) / 16
    noise = rng.normal(0, 0.012) if rng is not None and share < 1 else 0.0
    value = CLOUD_QUALITY * (1 - 1.1 * (1 - share) ** 1.5) + noise
    flops = WHOLE * (0.08 + 0.92 * share) if share < 1 else WHOLE
    config = Config(SPLITS, counts, 4, response=0.0 if share == 1 else 1.0)
    measured = Measurement(max(value, 0.02), flops, 0.0, 0.0, 1.2e6 * share, 590e3)
    return TrialRecord(number, kind, config, measured, seconds=2.1)


def split(number: int, rng: np.random.Generator) -> TrialRecord:
    cut = int(rng.integers(1, SPLITS))
    counts = tuple(int(c) for c in rng.integers(1, 5, 4))
    width, stride, bits = int(rng.choice((2, 4, 6, 8, 12, 16))), int(rng.integers(1, 3)), int(rng.integers(1, 9))
    weights = {name: float(rng.choice((0.0, 0.5, 1.0, 2.0))) for name in ("response", "feature", "rate")}
    active = sum(counts) / 16
    flops = WHOLE * (0.03 + 0.8 * (cut / SPLITS) ** 1.2 * (0.2 + 0.8 * active))
    symbols = width * (SIDE / 4 / stride / (1 + cut // 3)) ** 2
    size = 9 + symbols * bits / 8 * 0.45 * (1 - 0.12 * weights["rate"])
    detail = 1 - 0.55 * math.exp(-(math.log10(size) - 0.4) * 2.1)
    kept = 1 - 0.45 * (1 - active) ** 1.6 * (cut / SPLITS + 0.3)
    value = CLOUD_QUALITY * detail * kept * (0.97 + 0.015 * weights["response"]) + rng.normal(0, 0.012)
    config = Config(cut, counts, 4, width, stride, bits, **weights, temperature=2.0 if weights["response"] else 0.0)
    measured = Measurement(min(max(value, 0.01), 0.75), flops, size, WHOLE - flops * 0.9, 4e5 * active, 590e3)
    return TrialRecord(number, "search", config, measured, seconds=float(rng.uniform(1.5, 4)))


def refined(record: TrialRecord, rng: np.random.Generator) -> TrialRecord:
    own, untrained = record.validation, record.config.response == 0
    gain = 0.0 if untrained else 0.012
    if own.edge_flops >= WHOLE:
        test = replace(own, quality=CLOUD_QUALITY - 0.008)
        return replace(
            record, finalist=Finalist(own, test, (test.quality - 0.024, test.quality + 0.023), (0.0, 0.0))
        )
    validation = replace(own, quality=own.quality + gain)
    test = replace(
        own, quality=own.quality + gain + rng.normal(-0.008, 0.006), bytes=own.bytes * rng.normal(1, 0.004)
    )
    gap = test.quality - (CLOUD_QUALITY - 0.008)
    return replace(
        record,
        finalist=Finalist(
            validation, test, (test.quality - 0.024, test.quality + 0.023), (gap - 0.011, gap + 0.012)
        ),
    )


def realistic(trials: int = 200, finalists: bool = True) -> list[TrialRecord]:
    """~30 anchors, then ``trials`` search trials; with ``finalists`` the front is measured on test."""
    rng = np.random.default_rng(7)
    records = [
        image(0, name, q, side) for name in ("jpeg", "webp", "avif") for q in (5, 20, 50, 80) for side in (48, 96)
    ]
    records += [edge_only(0, (count,) * 4, rng=rng) for count in (4, 3, 2, 1)]
    records = [replace(record, number=number) for number, record in enumerate(records)]
    for number in range(len(records), len(records) + trials):
        on_edge = rng.random() < 0.1
        counts = tuple(int(c) for c in rng.integers(1, 5, 4))
        records.append(edge_only(number, counts, "search", rng) if on_edge else split(number, rng))
    if not finalists:
        return records
    front = {record.number for record in pareto_set(records, INFO.objectives)}
    return [refined(record, rng) if record.number in front else record for record in records]
