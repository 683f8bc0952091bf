"""Naming: measures and configurations in words and units that people read."""

from __future__ import annotations

from itertools import groupby

from results.record import RunInfo, TrialRecord
from search_spaces.config import Config

LABELS = {
    "quality": "quality",
    "edge_flops": "edge multiply-adds",
    "bytes": "bytes sent",
    "cloud_flops": "cloud multiply-adds",
    "edge_params": "edge parameters",
    "edge_memory": "edge activation memory",
    "latency": "latency, mean",
    "latency_p50": "latency, median",
    "latency_p95": "latency, 95th percentile",
    "energy": "edge energy",
    "offloaded": "share of samples sent on",
}
UNITS = {"latency": "ms", "latency_p50": "ms", "latency_p95": "ms", "energy": "mJ"}
_PREFIXES = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))


def si(value: float, digits: int = 3) -> str:
    """Return ``1.23 M`` for 1,230,000: ``digits`` significant digits and a metric prefix."""
    if value == int(value) and abs(value) < 1000:
        return str(int(value))
    rounded = float(f"{value:.{digits}g}")
    for size, prefix in _PREFIXES:
        if abs(rounded) >= size:
            return f"{_significant(rounded / size, digits)} {prefix}"
    return _significant(rounded, digits)


def _significant(value: float, digits: int) -> str:
    whole = len(str(int(abs(value))))
    return f"{value:.{max(0, digits - whole)}f}"


def byte_count(value: float) -> str:
    """Return ``342 B`` or ``1.21 kB`` (1 kB = 1000 B)."""
    text = si(value)
    return f"{text}B" if text[-1].isalpha() else f"{text} B"


def measure(name: str, value: float) -> str:
    """Return a measure by its name with its unit, e.g. ``1.2 M multiply-adds``."""
    if name == "quality":
        return f"{value:.3f}"
    if name in ("bytes", "edge_memory"):
        return byte_count(value)
    if name == "offloaded":
        return percent(value)
    if name in UNITS:
        return f"{value:.3g} {UNITS[name]}"
    return f"{si(value)} {'parameters' if name == 'edge_params' else 'multiply-adds'}"


def percent(share: float) -> str:
    """Return ``42 %`` for 0.42; one decimal below 10 % and above 99 %."""
    decimals = 0 if 0.0995 <= abs(share) <= 0.99 or share in (0.0, 1.0) else 1
    return f"{100 * share:.{decimals}f} %"


def duration(seconds: float) -> str:
    """Return ``45 s``, ``3 min 20 s`` or ``1 h 05 min``."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def place(record: TrialRecord, info: RunInfo) -> str:
    """Return where the model is cut, in words."""
    split = record.config.split
    if split == 0:
        return "everything in the cloud"
    if split == info.splits:
        return "the edge, or the cloud" if record.config.gated else "everything on the edge"
    return f"split point {split} of {info.splits}"


def modules(counts: tuple[int, ...]) -> str:
    """Return the edge's module counts by stage: ``4-2-3``, and ``4x6-2`` for a run of six stages with 4."""
    parts = [(count, len(list(run))) for count, run in groupby(counts)]
    if len(counts) <= 4:
        return "-".join(str(count) for count in counts)
    return "-".join(f"{count}x{times}" if times > 1 else str(count) for count, times in parts)


def cut(config: Config, splits: int) -> str:
    """Return where the model is cut, short: ``split 4/9``, and what side the edge's image has if it is reduced."""
    return f"split {config.split}/{splits}" + (f" at {config.resolution} px" if config.resolution else "")


def on_edge(config: Config) -> str:
    """Return what the edge runs, short: its modules by stage, and ``@48`` where it sees 48 x 48 pixels alone."""
    side = f"@{config.resolution}" if config.resolution else ""
    return f"{modules(config.edge_modules)}{side}" if config.split else "-"


def sent(config: Config) -> str:
    """Return what crosses the link, short: ``8ch/2 3b`` (channels, stride, bits), ``webp 50@64`` or ``nothing``.

    Behind a gate the share of the samples that are sent comes first: ``20% 8ch/2 3b``; where it chooses between
    features and images, both are named: ``20% 8/2 3b|webp50@64``.
    """
    share = f"{100 * config.offload:.0f}% " if config.gated else ""
    side = f"{config.image_quality}@{config.image_resolution}"
    if config.payload == "dynamic":
        return f"{share}{config.width}/{config.stride} {config.bits}b|{config.image_format}{side}"
    if config.sends_images:
        return f"{share}{config.image_format} {side}"
    return f"{share}{config.width}ch/{config.stride} {config.bits}b" if config.width else "nothing"


def sent_in_words(config: Config) -> str:
    """Return what crosses the link, in full."""
    side = config.image_resolution
    image = f"{config.image_format} image at quality {config.image_quality}, {side} x {side} pixels"
    features = f"{config.width} channels, stride {config.stride}, {config.bits} bits a symbol"
    said = [*([features] if config.width else []), *([image] if config.sends_images else [])]
    payload = ", or ".join(said) or "nothing"
    return f"of {100 * config.offload:.0f} % of the samples: {payload}" if config.gated else payload
