"""Peak activation memory: the most bytes of tensors alive at once while a module runs."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, fx, nn

from evaluators.subject import Subject


class _LiveBytes(fx.Interpreter):
    """Runs a graph node by node and keeps the peak of what is still needed, inputs included."""

    def __init__(self, graph: fx.GraphModule) -> None:
        super().__init__(graph)
        self.peak = 0

    def run_node(self, n: fx.Node) -> Any:
        result = super().run_node(n)
        alive = {id(t): t for value in [*self.env.values(), result] for t in _tensors(value)}
        if n.op != "get_attr":
            self.peak = max(self.peak, sum(t.numel() * t.element_size() for t in alive.values()))
        return result


def _tensors(value: Any) -> list[Tensor]:
    if isinstance(value, Tensor) and not isinstance(value, nn.Parameter):
        return [value]
    return [t for part in value for t in _tensors(part)] if isinstance(value, tuple | list) else []


def peak_activation_bytes(module: nn.Module, example: Tensor) -> int:
    """Return the peak bytes of activations, the input included and the weights not, for one sample.

    In-place operations and views are counted as if they made new tensors, so this is an upper bound.

    Args:
        module: In eval mode and traceable by torch.fx.
        example: Its input for one sample, (1, ...).
    """
    interpreter = _LiveBytes(fx.symbolic_trace(module))
    with torch.no_grad():
        interpreter.run(example)
    return interpreter.peak


class EdgeMemory:
    """Peak activation memory of the edge."""

    name = "edge_memory"

    def measure(self, subject: Subject) -> float:
        """Return bytes a sample."""
        return 0.0 if subject.edge is None else float(peak_activation_bytes(subject.edge, subject.image()))
