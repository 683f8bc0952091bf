"""Exits: what a Task offers as well where the edge can answer some samples itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from torch import Tensor, nn

from search_spaces.chain import Chain
from search_spaces.task import Outputs, Prediction, Target


@runtime_checkable
class Exits(Protocol):
    """One vision problem's early answers."""

    def exit_head(self, shapes: tuple[tuple[int, ...], ...]) -> nn.Module | None:
        """Return an untrained head: edge features to raw outputs of the cloud model's kind.

        Args:
            shapes: Of the tensors that cross, for one sample.

        Returns:
            None where these features allow no answer.
        """
        ...

    def confidence(self, outputs: Outputs) -> Tensor:
        """Return what a gate reads of raw outputs, (b, s) float, traceable and exportable.

        The first number is what a plain rule would go by: how little the answer is to be trusted.
        """
        ...

    def harm(self, predictions: Sequence[Prediction], targets: Sequence[Target]) -> np.ndarray:
        """Return how wrong each prediction is, (n,) in 0..1."""
        ...


def exit_heads(chain: Chain, exits: Exits) -> dict[str, nn.Module]:
    """Return an exit head for every interior split point whose features allow an answer, by split point."""
    heads = {str(split): exits.exit_head(shapes) for split, shapes in enumerate(chain.crossing, start=1)}
    return {split: head for split, head in heads.items() if head is not None}
