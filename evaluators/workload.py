"""Workload: what one configuration lets edge, link and cloud do for every sample of a split."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from deploy.image_codec import ImageSettings
from deploy.route import Route
from evaluators.device import Device, ImageCost, ImageFormat
from evaluators.operators import operators_of
from evaluators.outcome import Outcome
from evaluators.program import Program
from evaluators.subject import Subject


@dataclass(frozen=True)
class Workload:
    """What is done; which devices and which link do it is another matter.

    Attributes:
        edge: What the edge's program computes; None where only an image codec runs there.
        cloud: What the cloud's program computes on each route that leads there.
        pixels: Of the model's input.
        symbols: Channels, height and width of the symbols of each tensor that is sent.
        image: How an image is compressed; None where none is sent.
        packets: ``len(packet)`` of each sample, (n,).
        boxes: Boxes in each sample's answer, (n,); None where answers are class scores.
        routes: The Route of each sample, int (n,).
    """

    edge: Program | None
    cloud: Mapping[Route, Program]
    pixels: int
    symbols: tuple[tuple[int, int, int], ...]
    image: ImageSettings | None
    packets: np.ndarray
    boxes: np.ndarray | None
    routes: np.ndarray

    @property
    def offloaded(self) -> np.ndarray:
        """Which samples the cloud answers, bool (n,)."""
        return self.routes != Route.EDGE

    def of(self, outcome: Outcome) -> Workload:
        """Return the same model's workload for another outcome: other routes, packets and answers."""
        boxes = _boxes(outcome)
        return replace(self, packets=outcome.packet_bytes, boxes=boxes, routes=outcome.routes)

    def edge_seconds(self, device: Device) -> np.ndarray:
        """Return the seconds that the edge computes for each sample, (n,)."""
        program = 0.0 if self.edge is None else self.pixels * device.pixel + device.seconds(self.edge)
        by_route = self._by_route(
            {
                Route.EDGE: lambda: self._answer_seconds(device),
                Route.FEATURES: lambda: device.symbols.encode.seconds(self.symbols),
                Route.IMAGE: lambda: self._image_seconds(self._codec(device).encode),
            }
        )
        return device.sample + program + by_route

    def cloud_seconds(self, device: Device) -> np.ndarray:
        """Return the seconds that the cloud computes for each sample, (n,); none where the edge answers."""

        def answered(route: Route) -> np.ndarray:
            return device.sample + device.seconds(self.cloud[route]) + self._answer_seconds(device)

        return self._by_route(
            {
                Route.FEATURES: lambda: answered(Route.FEATURES) + device.symbols.decode.seconds(self.symbols),
                Route.IMAGE: lambda: (
                    self._image_seconds(self._codec(device).decode)
                    + self.pixels * device.pixel
                    + answered(Route.IMAGE)
                ),
            }
        )

    def _by_route(self, seconds: Mapping[Route, Callable[[], np.ndarray | float]]) -> np.ndarray:
        """Return the seconds of each sample, (n,), asking only for those of routes that are taken."""
        total = np.zeros(len(self.routes))
        for route, cost in seconds.items():
            taken = self.routes == route
            if taken.any():
                total[taken] = np.broadcast_to(cost(), total.shape)[taken]
        return total

    def _codec(self, device: Device) -> ImageFormat:
        assert self.image is not None
        codec: ImageFormat = getattr(device.images, self.image.format)
        return codec

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
    return Workload(
        edge=None if subject.edge is None else operators_of(subject.edge, subject.image()),
        cloud={route: operators_of(*program) for route, program in subject.cloud_programs().items()},
        pixels=side**2,
        symbols=derived.symbol_shapes,
        image=ImageSettings(*settings) if config.sends_images else None,
        packets=outcome.packet_bytes,
        boxes=_boxes(outcome),
        routes=outcome.routes,
    )


def _boxes(outcome: Outcome) -> np.ndarray | None:
    if "boxes" not in outcome.predictions[0]:
        return None
    return np.array([len(each["scores"]) for each in outcome.predictions])
