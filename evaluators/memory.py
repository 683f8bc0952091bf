"""Peak activation memory: the most bytes of tensors alive at once while a module runs."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.fx.experimental.proxy_tensor import make_fx
from torch.fx.proxy import TraceError

from evaluators.subject import Subject


class _LiveBytes(fx.Interpreter):
    """Runs a graph node by node and keeps the peak of what is still needed, inputs included.

    Args:
        graph: The graph of ``module``.
        module: Whose weights are not counted.
    """

    def __init__(self, graph: fx.GraphModule, module: nn.Module) -> None:
        super().__init__(graph)
        self._weights = set().union(*map(_storages, (*module.parameters(), *module.buffers())))
        self.peak = 0

    def run_node(self, n: fx.Node) -> Any:
        result = super().run_node(n)
        if n.op != "get_attr":
            alive = set().union(*(_storages(value) for value in [*self.env.values(), result])) - self._weights
            self.peak = max(self.peak, sum(size for _, size in alive))
        return result


def _storages(value: Any) -> set[tuple[int, int]]:
    """Return where the tensors in a value lie, and the bytes there: views share one place."""
    if isinstance(value, Tensor):
        storage = value.untyped_storage()
        return {(storage.data_ptr(), storage.nbytes())}
    return set().union(*map(_storages, value)) if isinstance(value, tuple | list) else set()


def _graph(module: nn.Module, example: Tensor) -> fx.GraphModule:
    try:
        return fx.symbolic_trace(module)
    except TraceError:
        # What asks for sizes, as windows of attention do, is followed with the example's.
        return make_fx(module)(example)


@torch.no_grad()
def peak_activation_bytes(module: nn.Module, example: Tensor) -> int:
    """Return the peak bytes of activations, the input included and the weights not, for one sample.

    Args:
        module: In eval mode and traceable by torch.fx.
        example: Its input for one sample, (1, ...).
    """
    interpreter = _LiveBytes(_graph(module, example), module)
    interpreter.run(example)
    return interpreter.peak


class EdgeMemory:
    """Peak activation memory of the edge."""

    name = "edge_memory"

    def measure(self, subject: Subject) -> float:
        """Return bytes a sample."""
        return 0.0 if subject.edge is None else float(peak_activation_bytes(subject.edge, subject.image()))
