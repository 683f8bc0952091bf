"""Subject: what evaluators measure."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from evaluators.outcome import Outcome
from search_spaces.derived import DerivedModel
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

    def received(self) -> torch.Tensor:
        """Return what the cloud receives for one sample."""
        if self.derived.symbol_shape is None:
            return self.image()
        return torch.zeros(1, *self.derived.symbol_shape, dtype=torch.uint8)
