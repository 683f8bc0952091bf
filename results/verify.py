"""Verify: a bundle is the model that was searched, shown on a data split."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from deploy.bundle import Bundle
from deploy.cloud import CloudRuntime
from deploy.edge import EdgeRuntime
from deploy.packet import PacketCodec
from deploy.sample import Sample, arrays_of
from evaluators.link import samples_of
from results.box_match import matched_boxes
from results.export import Derived
from search_spaces.payload import tensors_of
from search_spaces.task import DataSplit, Prediction, SplitName, Task

BOX_PIXELS = 0.5
BOX_SCORE = 1e-3
BOX_FLOOR = 0.05
BOX_SHARE = 0.99
QUALITY_GAP = 0.002
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
        if self.boxes is not None and self.boxes_matched is not None:
            said.append(f"Boxes above {BOX_FLOOR}: {self.boxes_matched:.2%} of {self.boxes} match.")
        if self.top1_same is not None:
            said.append(f"Same best class: {self.top1_same:.2%}.")
        return [*said, *(f"Not the same: {problem}." for problem in self.problems)]


@dataclass(frozen=True)
class _Pair:
    """One sample on both sides: what crossed the split point, the packet, the prediction."""

    model_crossing: Sample
    bundle_crossing: Sample
    model: Prediction
    bundle: Prediction
    packet: bytes
    intact: bool

    @property
    def same_symbols(self) -> bool:
        return _equal(self.model_crossing, self.bundle_crossing)

    @property
    def symbols(self) -> int:
        return sum(array.size for array in arrays_of(self.model_crossing))

    @property
    def differing(self) -> int:
        both = zip(arrays_of(self.model_crossing), arrays_of(self.bundle_crossing), strict=True)
        return sum(int((model != bundle).sum()) for model, bundle in both)


def verify_bundle(
    bundle: Bundle, derived: Derived, task: Task, split: SplitName = "test", threads: int | None = None
) -> VerifyReport:
    """Run a data split through the bundle and through the torch model, and compare.

    Args:
        bundle: An opened bundle.
        derived: The torch model it was exported from, in eval mode.
        task: Gives the data, the predictions and the quality.
        split: Which data split.
        threads: onnxruntime's threads; all cores when left out.
    """
    data = task.data(split)
    pairs = list(_pairs(bundle, derived, task, data, threads))
    return VerifyReport(
        split=split,
        samples=len(pairs),
        metric=task.metric,
        model_quality=task.quality([pair.model for pair in pairs], data.targets),
        bundle_quality=task.quality([pair.bundle for pair in pairs], data.targets),
        mean_bytes=float(np.mean([len(pair.packet) for pair in pairs])),
        symbols_differing=sum(pair.differing for pair in pairs) / max(1, sum(pair.symbols for pair in pairs)),
        packets_equal=all(pair.intact for pair in pairs),
        **(_compare_boxes(pairs) if "boxes" in pairs[0].model else _compare_top1(pairs)),
    )


def _pairs(bundle: Bundle, derived: Derived, task: Task, data: DataSplit, threads: int | None) -> Iterator[_Pair]:
    edge = EdgeRuntime(bundle, threads)
    cloud = None if bundle.manifest.kind == "edge" else CloudRuntime(bundle, threads)
    codec = None if bundle.manifest.kind == "edge" else bundle.packet_codec()
    for indices in data.batches(_BATCH):
        crossings, predictions = _run_model(derived, task, data, indices, codec)
        for index, crossing, prediction in zip(indices, crossings, predictions, strict=True):
            image = _image(data, index)
            if cloud is None or codec is None:
                nothing = np.zeros(0, dtype=np.uint8)
                yield _Pair(nothing, nothing, prediction, edge.answer(image), b"", True)
                continue
            sent, packet = edge.crossing(image), edge.packet(image)
            received = cloud.received(packet)
            lossless = bundle.manifest.kind == "image" or _equal(received, sent)
            same = codec.encode(crossing) == packet or not _equal(crossing, sent)
            yield _Pair(crossing, sent, prediction, cloud.answer(packet), packet, lossless and same)


@torch.no_grad()
def _run_model(
    derived: Derived, task: Task, data: DataSplit, indices: Sequence[int], codec: PacketCodec | None
) -> tuple[list[Sample], list[Prediction]]:
    """Return what the torch model sends of each sample, and its predictions."""
    images, _ = data.batch(indices)
    if derived.cloud is None:
        assert derived.edge is not None
        return [np.zeros(0, dtype=np.uint8)] * len(indices), task.predict(tensors_of(derived.edge(images)))
    if derived.edge is not None:
        symbols = derived.edge(images)
        return samples_of(symbols), task.predict(tensors_of(derived.cloud(symbols)))
    assert codec is not None
    pixels: list[Sample] = [_image(data, index) for index in indices]
    restored = np.concatenate([arrays_of(codec.decode(codec.encode(image))) for image in pixels])
    received = torch.from_numpy(restored).permute(0, 3, 1, 2).float().div_(255)
    return pixels, task.predict(tensors_of(derived.cloud(received)))


def _equal(one: Sample, other: Sample) -> bool:
    return all(map(np.array_equal, arrays_of(one), arrays_of(other)))


def _image(data: DataSplit, index: int) -> np.ndarray:
    return np.ascontiguousarray(data.images[index].permute(1, 2, 0).numpy())


def _compare_top1(pairs: Sequence[_Pair]) -> dict[str, Any]:
    same = [int(pair.model["scores"].argmax()) == int(pair.bundle["scores"].argmax()) for pair in pairs]
    changed = sum(not agree and pair.same_symbols for agree, pair in zip(same, pairs, strict=True))
    return {"top1_same": float(np.mean(same)), "top1_changed": changed}


def _compare_boxes(pairs: Sequence[_Pair]) -> dict[str, Any]:
    total = matched = 0
    for pair in pairs:
        model, found = _above(pair.model), _above(pair.bundle)
        total += len(model["scores"]) + len(found["scores"])
        matched += 2 * matched_boxes(model, found, BOX_PIXELS, BOX_SCORE)
    return {"boxes": total, "boxes_matched": matched / total if total else 1.0}


def _above(prediction: Prediction) -> Prediction:
    return {name: values[prediction["scores"] > BOX_FLOOR] for name, values in prediction.items()}
