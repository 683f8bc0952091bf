"""Cuts: where a traced model can be cut sensibly, and what crosses there.

```
stem - stage -+- stage -+- stage - pyramid - heads     one tensor crosses up to the first tap; behind the last
              |  taps   '-----------^                  such place several do, each in a bottleneck of its own
              '---------------------^
```

A cut that carries all that an earlier one does, and as much again, cannot pay: the edge computes more and sends
more.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, fx, nn

from search_spaces.arrangement import Arrangement
from search_spaces.families.family import family_of
from search_spaces.pairs import is_plain, paired_rows

PLAIN_ROW = 4
"""From so many plain layers in a row on they are joined in pairs, which have modules, where one alone has none."""
MOST_TENSORS = 5
"""So many tensors cross a cut at most: as many as a feature pyramid of P3 to P7 has levels."""
_HEAVY = (nn.Conv2d, nn.Linear)

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Segment:
    """A part of a graph between two cuts.

    Attributes:
        nodes: What is computed in it.
        inputs: What crosses the cut before it.
    """

    nodes: tuple[fx.Node, ...]
    inputs: tuple[fx.Node, ...]


def segments_of(model: nn.Module, graph: fx.Graph, example: Tensor) -> list[Segment]:
    """Cut a graph before every heavy operation at which one tensor is live, and behind the last of them at more.

    What is cheap (activation, pooling) stays with the heavy operation before it.

    Args:
        model: What was traced.
        graph: Its graph.
        example: Images, (1, 3, H, W).
    """
    nodes = [n for n in graph.nodes if n.op not in ("placeholder", "output", "get_attr")]
    crossing = _crossing(graph, nodes)
    *first, rest = _joined(model, graph, _parted(model, nodes, lambda node: len(crossing[node]) == 1))
    if sum(_is_heavy(model, node) for node in rest) > 1:
        rest_parted = _WideCuts(model, rest, crossing, _shapes(model, graph, example)).parted()
    else:
        rest_parted = [rest]
    return [Segment(tuple(part), crossing[part[0]]) for part in (*first, *rest_parted)]


def _parted(model: nn.Module, nodes: Sequence[fx.Node], is_open: Callable[[fx.Node], bool]) -> list[list[fx.Node]]:
    """Cut before every heavy operation at the last place that is open."""
    spans: list[list[fx.Node]] = []
    for node in nodes:
        if not spans or is_open(node):
            spans.append([])
        spans[-1].append(node)
    segments: list[list[fx.Node]] = [[]]
    for span in spans:
        heavy = any(_is_heavy(model, node) for node in span)
        if heavy and any(_is_heavy(model, node) for node in segments[-1]):
            segments.append([])
        segments[-1].extend(span)
    return segments


def _joined(model: nn.Module, graph: fx.Graph, segments: list[list[fx.Node]]) -> list[list[fx.Node]]:
    """Join the plain layers of a row in pairs."""
    heavy = [[node for node in segment if _is_heavy(model, node)] for segment in segments]
    layers = [nodes[0] if len(nodes) == 1 and is_plain(model, nodes[0]) else None for nodes in heavy]
    first = set(paired_rows(model, graph, layers, PLAIN_ROW))
    joined: list[list[fx.Node]] = []
    for index, segment in enumerate(segments):
        if index - 1 in first:
            joined[-1].extend(segment)
        else:
            joined.append(list(segment))
    return joined


def _crossing(graph: fx.Graph, nodes: list[fx.Node]) -> dict[fx.Node, tuple[fx.Node, ...]]:
    """Return the values computed before each node that are still needed, in the order that they are computed in."""
    order = {node: i for i, node in enumerate(nodes)}
    live: list[list[fx.Node]] = [[] for _ in nodes]
    for value in graph.nodes:
        if value.op in ("output", "get_attr"):
            continue
        last = max((order.get(user, len(nodes) - 1) for user in value.users), default=-1)
        for i in range(order.get(value, -1) + 1, last + 1):
            live[i].append(value)
    return {node: tuple(values) for node, values in zip(nodes, live, strict=True)}


def _is_heavy(model: nn.Module, node: fx.Node) -> bool:
    if node.op != "call_module":
        return False
    module = model.get_submodule(str(node.target))
    return isinstance(module, _HEAVY) or family_of(module) is not None


class _ShapeRecorder(fx.Interpreter):
    """Runs a graph and keeps the shape of every tensor for one sample, by its node's name."""

    def __init__(self, graph: fx.GraphModule) -> None:
        super().__init__(graph)
        self.shapes: dict[str, Shape] = {}

    def run_node(self, n: fx.Node) -> Any:
        result = super().run_node(n)
        if isinstance(result, Tensor) and result.is_floating_point() and 1 < result.ndim < 5:
            self.shapes[n.name] = tuple(result.shape[1:])
        return result


def _shapes(model: nn.Module, graph: fx.Graph, example: Tensor) -> dict[str, Shape]:
    recorder = _ShapeRecorder(fx.GraphModule(model, graph))
    with torch.no_grad():
        recorder.run(example)
    return recorder.shapes


class _WideCuts:
    """The cuts that several tensors cross, behind the last place where a single one does.

    Args:
        model: What was traced.
        nodes: What is computed there.
        crossing: What crosses before each node.
        shapes: Of every tensor for one sample, by its node's name.
    """

    def __init__(
        self,
        model: nn.Module,
        nodes: Sequence[fx.Node],
        crossing: dict[fx.Node, tuple[fx.Node, ...]],
        shapes: dict[str, Shape],
    ) -> None:
        self._model, self._nodes, self._crossing, self._shapes = model, nodes, crossing, shapes
        self._split_modules = _between_calls(model, nodes)
        self._offered = [crossing[nodes[0]]]

    def parted(self) -> list[list[fx.Node]]:
        """Return the segments; of cuts in a row that the same levels cross, the last is made: they are complete."""
        merged: list[list[fx.Node]] = []
        for part in _parted(self._model, self._nodes, self._is_open):
            if len(merged) > 1 and self._levels(merged[-1]) == self._levels(part):
                last = merged.pop()
                merged[-1] = merged[-1] + last
            merged.append(part)
        return merged

    def _levels(self, part: list[fx.Node]) -> list[int]:
        """Return the sizes of the tensors that cross the cut before a segment."""
        return sorted(self._positions(value) for value in self._crossing[part[0]])

    def _is_open(self, node: fx.Node) -> bool:
        values = self._crossing[node]
        if not (1 < len(values) <= MOST_TENSORS and all(map(self._can_cross, values))):
            return False
        if node in self._split_modules or not all(self._adds_less(earlier, values) for earlier in self._offered):
            return False
        self._offered.append(values)
        return True

    def _can_cross(self, value: fx.Node) -> bool:
        """Return whether a value is features; a raw output is there already."""
        return value.name in self._shapes and all(user.op != "output" for user in value.users)

    def _adds_less(self, earlier: tuple[fx.Node, ...], values: tuple[fx.Node, ...]) -> bool:
        """Return whether values lack something that crosses earlier, or add only what is coarser than all of it."""
        if not set(earlier) < set(values):
            return True
        finest = max(self._positions(value) for value in set(values) - set(earlier))
        return finest < min(map(self._positions, earlier))

    def _positions(self, value: fx.Node) -> int:
        height, width = Arrangement.of(self._shapes[value.name]).sides
        return height * width


def _between_calls(model: nn.Module, nodes: Sequence[fx.Node]) -> set[fx.Node]:
    """Return the nodes between calls of one module with weights, which can be on one side alone."""
    calls: dict[str, list[int]] = {}
    for i, node in enumerate(nodes):
        if node.op == "call_module" and next(model.get_submodule(str(node.target)).parameters(), None) is not None:
            calls.setdefault(str(node.target), []).append(i)
    return {node for places in calls.values() for node in nodes[places[0] + 1 : places[-1] + 1]}
