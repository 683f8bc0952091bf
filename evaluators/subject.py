"""Subject: what evaluators measure."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import nn

from deploy.route import Route
from evaluators.outcome import Outcome, route_of
from search_spaces.derived import DerivedModel
from search_spaces.payload import Payload, payload_of
from search_spaces.placement import brought_back
from search_spaces.task import Task


@dataclass(frozen=True)
class Subject:
    """What is measured: a derived model in eval mode and its outcome on one split. Parts are counted on the CPU."""

    derived: DerivedModel
    task: Task
    outcome: Outcome

    @cached_property
    def edge(self) -> nn.Module | None:
        """What runs on the edge; None where only an image codec does."""
        return None if self.derived.edge is None else brought_back(self.derived.edge)

    def image(self) -> torch.Tensor:
        """Return an input for one sample, (1, 3, H, W)."""
        return torch.zeros(1, 3, self.task.image_size, self.task.image_size)

    def cloud_programs(self) -> dict[Route, tuple[nn.Module, Payload]]:
        """Return what answers each route that leads to the cloud, and what it gets for one sample."""
        found: dict[Route, tuple[nn.Module, Payload]] = {}
        if self.derived.cloud is not None:
            found[route_of(self.derived)] = brought_back(self.derived.cloud), self.received()
        if self.derived.whole is not None:
            found[Route.IMAGE] = brought_back(self.derived.whole), self.image()
        return found

    def received(self) -> Payload:
        """Return what the cloud receives for one sample."""
        if not self.derived.symbol_shapes:
            return self.image()
        return payload_of(torch.zeros(1, *shape, dtype=torch.uint8) for shape in self.derived.symbol_shapes)
