"""Sides: what answers a sample, and how, on either side of a comparison; here the torch model's side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from deploy.packet import PacketCodec
from deploy.route import Route, routes_at
from deploy.sample import Sample, arrays_of
from evaluators.link import samples_of
from evaluators.outcome import route_of
from results.export import routes_of
from search_spaces.derived import Crossed, DerivedModel
from search_spaces.payload import payload_of, tensors_of
from search_spaces.task import DataSplit, Outputs, Prediction, Task

NOTHING = np.zeros(0, dtype=np.uint8)
"""What is sent where the edge answers."""


@dataclass(frozen=True)
class Side:
    """One sample on one side: its route, what crossed the split point, the prediction."""

    route: Route
    sent: Sample
    prediction: Prediction


@dataclass(frozen=True)
class SearchedModel:
    """The torch model that was searched.

    Attributes:
        derived: The model.
        task: Turns raw outputs into predictions.
        images: The codec of the images that are sent; None where none are.
        threshold: The most harm that its gate accepts.
    """

    derived: DerivedModel
    task: Task
    images: PacketCodec | None
    threshold: float

    @torch.no_grad()
    def sides(self, data: DataSplit, indices: Sequence[int]) -> list[Side]:
        """Return what the model makes of some samples."""
        images, _ = data.batch(indices)
        edge = self.derived.edge
        crossed = Crossed((), (), None) if edge is None else self.derived.crossed(edge(images))
        routes = self._routes(crossed, len(images))
        answers = {route: self._answers(route, data, indices, crossed) for route in set(routes)}
        return [answers[route][i] for i, route in enumerate(routes)]

    def _routes(self, crossed: Crossed, count: int) -> list[Route]:
        if crossed.scores is None:
            return [route_of(self.derived)] * count
        return [
            Route(int(route))
            for route in routes_at(crossed.scores.numpy(), self.threshold, routes_of(self.derived.config))
        ]

    def _answers(self, route: Route, data: DataSplit, indices: Sequence[int], crossed: Crossed) -> list[Side]:
        """Return what every sample is answered with on one route."""
        if route == Route.EDGE:
            nothing: list[Sample] = [NOTHING] * len(indices)
            return self._sides(route, nothing, crossed.outputs)
        if route == Route.FEATURES:
            assert self.derived.cloud is not None
            symbols = payload_of(crossed.symbols)
            return self._sides(route, samples_of(symbols), tensors_of(self.derived.cloud(symbols)))
        return self._sides(route, *self._imaged(data, indices))

    def _sides(self, route: Route, sent: Sequence[Sample], outputs: Outputs) -> list[Side]:
        return [Side(route, *each) for each in zip(sent, self.task.predict(outputs), strict=True)]

    def _imaged(self, data: DataSplit, indices: Sequence[int]) -> tuple[list[Sample], Outputs]:
        whole = self.derived.whole or self.derived.cloud
        assert self.images is not None and whole is not None
        pixels: list[Sample] = [image_of(data, index) for index in indices]
        restored = [arrays_of(self.images.decode(self.images.encode(image))) for image in pixels]
        received = torch.from_numpy(np.concatenate(restored)).permute(0, 3, 1, 2).float().div_(255)
        return pixels, tensors_of(whole(received))


def image_of(data: DataSplit, index: int) -> np.ndarray:
    """Return one sample's image as devices see it, uint8 (H, W, 3)."""
    return np.ascontiguousarray(data.images[index].permute(1, 2, 0).numpy())
