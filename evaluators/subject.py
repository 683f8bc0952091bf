"""Subject: what evaluators measure."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from evaluators.outcome import Outcome
from search_spaces.derived import DerivedModel
from search_spaces.payload import Payload, payload_of
from search_spaces.task import Task


@dataclass(frozen=True)
class Subject:
    """What is measured: a derived model in eval mode and its outcome on one split."""

    derived: DerivedModel
    task: Task
    outcome: Outcome

    @property
    def edge(self) -> nn.Module | None:
        """What runs on the edge; None where only an image codec does."""
        return self.derived.edge

    def image(self) -> torch.Tensor:
        """Return an input for one sample, (1, 3, H, W)."""
        return torch.zeros(1, 3, self.task.image_size, self.task.image_size)

    def received(self) -> Payload:
        """Return what the cloud receives for one sample."""
        if not self.derived.symbol_shapes:
            return self.image()
        return payload_of(torch.zeros(1, *shape, dtype=torch.uint8) for shape in self.derived.symbol_shapes)
