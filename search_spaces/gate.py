"""Gate: decides on the edge, from what is there already, which samples the edge answers itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from search_spaces.arrangement import Arrangement
from search_spaces.payload import Payload, payload_of, tensors_of
from search_spaces.placement import device_of
from search_spaces.task import Outputs


@dataclass(frozen=True)
class Confidence:
    """What a gate reads of raw outputs, (b, s) float, distrust first; copies share it, for it may hold data."""

    read: Callable[[Outputs], Tensor]

    def __call__(self, outputs: Outputs) -> Tensor:
        """Return what it reads, (b, s)."""
        return self.read(outputs)

    def __deepcopy__(self, memo: dict[int, Any]) -> Confidence:
        return self


class Gate(nn.Module):
    """Scores how much harm each answer on offer is expected to do: logistic regression on standardized evidence.

    Args:
        inputs: Numbers of evidence of one sample.
        answers: Answers on offer: the edge's, then the one from its features where images are an alternative.
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, inputs: int, answers: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(inputs))
        self.register_buffer("scale", torch.ones(inputs))
        self.linear = nn.Linear(inputs, answers)

    def forward(self, evidence: Tensor) -> Tensor:
        """Return the expected harm of each answer, (b, answers) in 0..1, of evidence (b, inputs)."""
        scores: Tensor = self.linear(self.standardized(evidence)).sigmoid()
        return scores

    def standardized(self, evidence: Tensor) -> Tensor:
        """Return evidence (b, inputs) on the scales that the weights are for; same shape."""
        return (evidence - self.mean) * self.scale


class Answering(nn.Module):
    """The edge's own answer, and the gate that says whether it is enough.

    Args:
        head: Edge features to raw outputs: an exit head, or the model's own last block.
        confidence: What of raw outputs the gate reads.
        arrangements: How the edge features that cross lie.
        answers: Answers that the gate scores.
    """

    def __init__(
        self, head: nn.Module, confidence: Confidence, arrangements: Sequence[Arrangement], answers: int
    ) -> None:
        super().__init__()
        self.head, self.confidence = head, confidence
        self.arrangements = tuple(arrangements)
        device = device_of(head)
        example = payload_of(torch.zeros(1, *arrangement.shape, device=device) for arrangement in arrangements)
        with torch.no_grad():
            evidence = self.evidence(example, tensors_of(head.eval()(example)))
        self.means = sum(arrangement.channels for arrangement in self.arrangements)
        """Numbers of the evidence, its last ones, that are channel means."""
        self.gate = Gate(evidence.shape[1], answers).to(device)

    def forward(self, features: Payload) -> tuple[Tensor, ...]:
        """Return raw outputs and, last, the gate's scores (b, answers) of edge features."""
        outputs = tensors_of(self.head(features))
        return *outputs, self.gate(self.evidence(features, outputs))

    def evidence(self, features: Payload, outputs: Outputs) -> Tensor:
        """Return what the gate reads, (b, inputs): the outputs' confidence and the features' channel means."""
        each = zip(self.arrangements, tensors_of(features), strict=True)
        means = [arrangement.image(tensor).mean((2, 3)) for arrangement, tensor in each]
        return torch.cat([self.confidence(outputs), *means], 1)
