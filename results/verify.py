"""Verify: a bundle is the model that was searched, shown on a data split."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from deploy.bundle import Bundle
from deploy.cloud import CloudRuntime
from deploy.edge import EdgeRuntime
from deploy.route import Route
from deploy.sample import Sample, arrays_of
from results.box_match import matched_boxes
from results.sides import NOTHING, SearchedModel, Side, image_of
from search_spaces.derived import DerivedModel
from search_spaces.task import DataSplit, Prediction, SplitName, Task

BOX_PIXELS = 0.5
BOX_SCORE = 1e-3
BOX_FLOOR = 0.05
BOX_SHARE = 0.99
QUALITY_GAP = 0.002
ROUTE_SHARE = 0.01
_BATCH = 32


@dataclass(frozen=True)
class VerifyReport:
    """How a bundle, run by onnxruntime through packets, compares with the torch model.

    Attributes:
        split: The data split.
        samples: Its samples.
        metric: What ``quality`` is.
        model_quality: The torch model's quality.
        bundle_quality: The bundle's quality.
        mean_bytes: Mean length of the packets; 0 where nothing is sent.
        symbols_differing: Share of symbols that torch and onnxruntime round differently.
        routes_differing: Samples that the two gates decide on differently.
        packets_equal: Every packet carried what was sent, and equal symbols gave equal bytes.
        top1_same: Share of samples with the same best class; None for boxes.
        top1_changed: Samples with another best class although the same symbols were sent; None for boxes.
        boxes: Boxes above 0.05 of both sides together; None for classes.
        boxes_matched: Share of them that have a partner within 0.5 px and 1e-3; None for classes.
    """

    split: SplitName
    samples: int
    metric: str
    model_quality: float
    bundle_quality: float
    mean_bytes: float
    symbols_differing: float
    routes_differing: int
    packets_equal: bool
    top1_same: float | None = None
    top1_changed: int | None = None
    boxes: int | None = None
    boxes_matched: float | None = None

    @property
    def problems(self) -> tuple[str, ...]:
        """What shows that the bundle is not the model, one line each."""
        found = []
        if abs(self.model_quality - self.bundle_quality) > QUALITY_GAP:
            found.append(f"{self.metric} {self.bundle_quality:.4f} instead of {self.model_quality:.4f}")
        if not self.packets_equal:
            found.append("packets differ for equal symbols")
        if self.top1_changed:
            found.append(f"{self.top1_changed} of {self.samples} samples have another best class")
        if self.boxes_matched is not None and self.boxes_matched < BOX_SHARE:
            found.append(f"only {self.boxes_matched:.2%} of {self.boxes} boxes match")
        if self.routes_differing > ROUTE_SHARE * self.samples:
            found.append(f"the gate decides otherwise on {self.routes_differing} of {self.samples} samples")
        return tuple(found)

    @property
    def passed(self) -> bool:
        """The bundle is the model that was searched."""
        return not self.problems

    def lines(self) -> list[str]:
        """Return the report in words, one sentence a line."""
        said = [
            f"{self.samples} samples of the {self.split} split, through onnxruntime and packets.",
            f"{self.metric}: bundle {self.bundle_quality:.4f}, searched model {self.model_quality:.4f}.",
            f"Packets: {self.mean_bytes:.1f} bytes a sample; "
            f"symbols rounded differently: {self.symbols_differing:.2e}.",
        ]
        if self.routes_differing:
            said.append(f"The gate decides otherwise on {self.routes_differing} samples.")
        if self.boxes is not None and self.boxes_matched is not None:
            said.append(f"Boxes above {BOX_FLOOR}: {self.boxes_matched:.2%} of {self.boxes} match.")
        if self.top1_same is not None:
            said.append(f"Same best class: {self.top1_same:.2%}.")
        return [*said, *(f"Not the same: {problem}." for problem in self.problems)]


@dataclass(frozen=True)
class _Pair:
    """One sample on both sides, and the bundle's packet."""

    model: Side
    bundle: Side
    packet: bytes
    intact: bool

    @property
    def same_route(self) -> bool:
        return self.model.route == self.bundle.route

    @property
    def same_symbols(self) -> bool:
        return self.same_route and _equal(self.model.sent, self.bundle.sent)

    @property
    def symbols(self) -> int:
        return sum(array.size for array in arrays_of(self.model.sent)) if self.same_route else 0

    @property
    def differing(self) -> int:
        if not self.same_route:
            return 0
        both = zip(arrays_of(self.model.sent), arrays_of(self.bundle.sent), strict=True)
        return sum(int((model != bundle).sum()) for model, bundle in both)


def verify_bundle(
    bundle: Bundle,
    derived: DerivedModel,
    task: Task,
    split: SplitName = "test",
    threads: int | None = None,
    threshold: float = 0.0,
) -> VerifyReport:
    """Run a data split through the bundle and through the torch model, and compare.

    Args:
        bundle: An opened bundle.
        derived: The torch model it was exported from, in eval mode.
        task: Gives the data, the predictions and the quality.
        split: Which data split.
        threads: onnxruntime's threads; all cores when left out.
        threshold: The most harm that the model's gate accepts, where it has one.
    """
    data = task.data(split)
    model = SearchedModel(derived, task, bundle.codecs().get(Route.IMAGE), threshold)
    pairs = list(_pairs(bundle, model, data, threads))
    return VerifyReport(
        split=split,
        samples=len(pairs),
        metric=task.metric,
        model_quality=task.quality([pair.model.prediction for pair in pairs], data.targets),
        bundle_quality=task.quality([pair.bundle.prediction for pair in pairs], data.targets),
        mean_bytes=float(np.mean([len(pair.packet) for pair in pairs])),
        symbols_differing=sum(pair.differing for pair in pairs) / max(1, sum(pair.symbols for pair in pairs)),
        routes_differing=sum(not pair.same_route for pair in pairs),
        packets_equal=all(pair.intact for pair in pairs),
        **(_compare_boxes(pairs) if "boxes" in pairs[0].model.prediction else _compare_top1(pairs)),
    )


def _pairs(bundle: Bundle, model: SearchedModel, data: DataSplit, threads: int | None) -> Iterator[_Pair]:
    edge, codecs = EdgeRuntime(bundle, threads), bundle.codecs()
    cloud = CloudRuntime(bundle, threads) if codecs else None
    for indices in data.batches(_BATCH):
        for index, expected in zip(indices, model.sides(data, indices), strict=True):
            handled = edge.handle(image_of(data, index))
            if cloud is None or handled.packet is None or handled.sent is None:
                assert handled.prediction is not None
                yield _Pair(expected, Side(handled.route, NOTHING, handled.prediction), b"", True)
                continue
            got = Side(handled.route, handled.sent, cloud.answer(handled.packet))
            received = cloud.received(handled.packet).sample
            lossless = handled.route == Route.IMAGE or _equal(received, handled.sent)
            alike = handled.route == expected.route and _equal(expected.sent, handled.sent)
            same = not alike or codecs[handled.route].encode(expected.sent) == handled.packet
            yield _Pair(expected, got, handled.packet, lossless and same)


def _equal(one: Sample, other: Sample) -> bool:
    return all(map(np.array_equal, arrays_of(one), arrays_of(other)))


def _compare_top1(pairs: Sequence[_Pair]) -> dict[str, Any]:
    same = [_best(pair.model.prediction) == _best(pair.bundle.prediction) for pair in pairs]
    changed = sum(not agree and pair.same_symbols for agree, pair in zip(same, pairs, strict=True))
    return {"top1_same": float(np.mean(same)), "top1_changed": changed}


def _best(prediction: Prediction) -> int:
    return int(prediction["scores"].argmax())


def _compare_boxes(pairs: Sequence[_Pair]) -> dict[str, Any]:
    total = matched = 0
    for pair in pairs:
        model, found = _above(pair.model.prediction), _above(pair.bundle.prediction)
        total += len(model["scores"]) + len(found["scores"])
        matched += 2 * matched_boxes(model, found, BOX_PIXELS, BOX_SCORE)
    return {"boxes": total, "boxes_matched": matched / total if total else 1.0}


def _above(prediction: Prediction) -> Prediction:
    return {name: values[prediction["scores"] > BOX_FLOOR] for name, values in prediction.items()}
