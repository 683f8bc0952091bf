"""Measurement: what one configuration costs and how well it answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields


@dataclass(frozen=True)
class Measurement:
    """Every measure of one configuration on one data split, by name.

    Attributes:
        quality: mAP or top-1, 0 to 1.
        edge_flops: Multiply-adds on the edge for one sample (fvcore's count; post-processing is not counted).
        bytes: Mean ``len(packet)`` over the samples of the split.
        cloud_flops: Multiply-adds in the cloud for one sample.
        edge_params: Parameters held on the edge.
        edge_memory: Peak bytes of activations on the edge for one sample, float32.
        latency: Mean milliseconds from image to answer, as a device profile predicts them; None without a profile.
        latency_p50: Their median over the samples.
        latency_p95: Their 95th percentile over the samples.
        energy: Mean millijoules that the edge draws for a sample; None without a profile.
        offloaded: Share of the samples that a gate sent on, whatever share it was asked for; None without a gate.
    """

    quality: float
    edge_flops: float
    bytes: float
    cloud_flops: float
    edge_params: float
    edge_memory: float
    latency: float | None = None
    latency_p50: float | None = None
    latency_p95: float | None = None
    energy: float | None = None
    offloaded: float | None = None

    def __getitem__(self, name: str) -> float:
        value: float | None = getattr(self, name)
        if value is None:
            raise KeyError(
                f"{name} was not measured: it needs a {'gate' if name == 'offloaded' else 'device profile'}"
            )
        return float(value)

    def to_dict(self) -> dict[str, float]:
        """Return the measures by name, those that were not measured left out."""
        names = (field.name for field in fields(self))
        return {name: self[name] for name in names if getattr(self, name) is not None}

    @classmethod
    def from_dict(cls, values: Mapping[str, float]) -> Measurement:
        """Build a Measurement from ``to_dict``'s output."""
        return cls(**values)
