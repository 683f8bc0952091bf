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
    """

    quality: float
    edge_flops: float
    bytes: float
    cloud_flops: float
    edge_params: float
    edge_memory: float

    def __getitem__(self, name: str) -> float:
        value: float = getattr(self, name)
        return float(value)

    def to_dict(self) -> dict[str, float]:
        """Return the measures by name."""
        return {field.name: self[field.name] for field in fields(self)}

    @classmethod
    def from_dict(cls, values: Mapping[str, float]) -> Measurement:
        """Build a Measurement from ``to_dict``'s output."""
        return cls(**values)
