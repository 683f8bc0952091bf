"""RivalPoint: one configuration of a rival, with what it measured; free of how it was measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from evaluators.measurement import Measurement
from results.record import Finalist

RivalName = Literal["edge only", "image", "plain cut", "cascade", "fixed bottleneck"]
Settings = Mapping[str, Any]
"""What one configuration of a rival is, as JSON."""
SPLIT_RIVALS: tuple[RivalName, ...] = ("plain cut", "cascade", "fixed bottleneck")
"""Those that compute on the edge and send something as well."""


@dataclass(frozen=True)
class Figures:
    """What rivals and the search are compared by, on one data split.

    Attributes:
        quality: mAP or top-1, 0 to 1.
        edge_flops: Multiply-adds on the edge for one sample.
        bytes: Mean bytes sent for a sample.
    """

    quality: float
    edge_flops: float
    bytes: float

    def __getitem__(self, name: str) -> float:
        return float(getattr(self, name))

    @classmethod
    def of(cls, measured: Measurement) -> Figures:
        """Return what of a measurement is compared."""
        return cls(measured.quality, measured.edge_flops, measured.bytes)


@dataclass(frozen=True)
class OnTest:
    """What a rival's point measured on test, as a finalist does.

    Attributes:
        figures: Its bytes come from the exported edge where there is one.
        quality_interval: Bootstrap 95 % interval of the quality.
        gap_interval: Paired bootstrap 95 % interval of (this quality - the cloud model's).
    """

    figures: Figures
    quality_interval: tuple[float, float]
    gap_interval: tuple[float, float]

    @classmethod
    def of(cls, finalist: Finalist) -> OnTest:
        """Return what of a finalist is compared."""
        return cls(Figures.of(finalist.test), finalist.quality_interval, finalist.gap_interval)


@dataclass(frozen=True)
class RivalPoint:
    """One configuration of a rival.

    Attributes:
        rival: Whose it is.
        settings: What it is, as JSON.
        words: What it is, short.
        validation: Measured on validation.
        test: Set for those that were measured on test.
    """

    rival: RivalName
    settings: Settings
    words: str
    validation: Figures
    test: OnTest | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the point as JSON values."""
        # Not by asdict, which copies everything anew: a record of thousands of points is written often.
        test = None if self.test is None else asdict(self.test)
        return {**vars(self), "validation": vars(self.validation), "test": test}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> RivalPoint:
        """Build a point from ``to_dict``'s output, after it has been JSON too."""
        test = values["test"]
        tested = None
        if test is not None:
            pairs = (tuple(test[name]) for name in ("quality_interval", "gap_interval"))
            tested = OnTest(Figures(**test["figures"]), *pairs)
        return cls(values["rival"], values["settings"], values["words"], Figures(**values["validation"]), tested)
