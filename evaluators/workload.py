"""Workload: what one configuration lets edge, link and cloud do for every sample of a split."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from deploy.image_codec import ImageSettings
from evaluators.device import Device, ImageCost
from evaluators.operators import operators_of
from evaluators.program import Program
from evaluators.subject import Subject


@dataclass(frozen=True)
class Workload:
    """What is done; which devices and which link do it is another matter.

    Attributes:
        edge: What the edge's program computes; None where only an image codec runs there.
        cloud: What the cloud's program computes; None where everything is on the edge.
        pixels: Of the model's input.
        symbols: Channels, height and width of the symbols of each tensor that is sent.
        image: How an image is compressed; None where none is sent.
        packets: ``len(packet)`` of each sample, (n,).
        boxes: Boxes in each sample's answer, (n,); None where answers are class scores.
    """

    edge: Program | None
    cloud: Program | None
    pixels: int
    symbols: tuple[tuple[int, int, int], ...]
    image: ImageSettings | None
    packets: np.ndarray
    boxes: np.ndarray | None

    def edge_seconds(self, device: Device) -> np.ndarray:
        """Return the seconds that the edge computes for each sample, (n,)."""
        if self.image is not None:
            return self._image_seconds(getattr(device.images, self.image.format).encode)
        assert self.edge is not None
        seconds = self.pixels * device.pixel + device.seconds(self.edge)
        if self.cloud is None:
            return seconds + self._answer_seconds(device)
        return np.full(len(self.packets), seconds + device.symbols.encode.seconds(self.symbols))

    def cloud_seconds(self, device: Device) -> np.ndarray:
        """Return the seconds that the cloud computes for each sample that it gets, (n,)."""
        if self.cloud is None:
            return np.zeros(len(self.packets))
        seconds = device.seconds(self.cloud) + self._answer_seconds(device)
        if self.image is None:
            return seconds + device.symbols.decode.seconds(self.symbols)
        decoded = self._image_seconds(getattr(device.images, self.image.format).decode)
        return decoded + self.pixels * device.pixel + seconds

    def _image_seconds(self, cost: ImageCost) -> np.ndarray:
        assert self.image is not None
        height, width = self.image.sent_size
        return cost.packet + height * width * cost.pixel + self.packets * cost.byte

    def _answer_seconds(self, device: Device) -> np.ndarray:
        answer = device.answer
        if self.boxes is None:
            return np.full(len(self.packets), answer.classes)
        return answer.boxes + self.boxes * answer.box


def workload_of(subject: Subject) -> Workload:
    """Return what a derived model lets edge, link and cloud do for the samples of its outcome."""
    derived, outcome, side = subject.derived, subject.outcome, subject.task.image_size
    config = derived.config
    settings = config.image_format, config.image_quality, config.image_resolution, (side, side)
    boxed = "boxes" in outcome.predictions[0]
    return Workload(
        edge=None if derived.edge is None else operators_of(derived.edge, subject.image()),
        cloud=None if derived.cloud is None else operators_of(derived.cloud, subject.received()),
        pixels=side**2,
        symbols=derived.symbol_shapes,
        image=ImageSettings(*settings) if derived.edge is None else None,
        packets=outcome.packet_bytes,
        boxes=np.array([len(each["scores"]) for each in outcome.predictions]) if boxed else None,
    )
