"""Pairs: layers of a traced model between which channels stay apart: units where no family knows the block.

```
conv -> norm -> relu -> pool --> conv     units are the channels between: of VGG's and AlexNet's rows,
                            '--> conv     of Inception's branches, of any model's own layers
```
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import fx, nn

from search_spaces.families.inner_units import InnerUnits

ELEMENTWISE = (
    nn.ReLU,
    nn.ReLU6,
    nn.LeakyReLU,
    nn.GELU,
    nn.SiLU,
    nn.Hardswish,
    nn.Sigmoid,
    nn.Dropout,
    nn.Identity,
    F.relu,
    F.relu6,
    F.leaky_relu,
    F.gelu,
    F.silu,
    F.hardswish,
    F.dropout,
    torch.relu,
    torch.sigmoid,
    torch.tanh,
    "relu",
    "sigmoid",
    "tanh",
)
"""Layers, functions and methods that compute every number from one number."""
BY_CHANNEL = (
    nn.BatchNorm2d,
    nn.Dropout2d,
    nn.MaxPool2d,
    nn.AvgPool2d,
    nn.AdaptiveAvgPool2d,
    F.max_pool2d,
    F.avg_pool2d,
    F.adaptive_avg_pool2d,
)
"""Those that compute a channel of an image from it; what a linear layer writes has its channels elsewhere."""


@dataclass(frozen=True)
class Pair:
    """A layer and what alone reads its channels.

    Attributes:
        writer: Its node.
        readers: The nodes that sum over its channels.
        norms: Names of the batch norms between.
    """

    writer: fx.Node
    readers: tuple[fx.Node, ...]
    norms: tuple[str, ...]

    @property
    def units(self) -> InnerUnits:
        """Where the units sit."""
        return InnerUnits((str(self.writer.target),), tuple(str(node.target) for node in self.readers), self.norms)


def is_plain(model: nn.Module, node: fx.Node) -> bool:
    """Return whether a node is a linear layer, or a convolution whose every output sums over all inputs."""
    part = _part(model, node)
    return isinstance(part, nn.Linear) or (isinstance(part, nn.Conv2d) and part.groups == 1)


def pairs_of(model: nn.Module, graph: fx.Graph) -> list[Pair]:
    """Return the pairs of a graph in its order; no layer is in two of them."""
    once = Counter(str(node.target) for node in graph.nodes if node.op == "call_module")
    found: list[Pair] = []
    taken: set[fx.Node] = set()
    for node in graph.nodes:
        pair = _pair(model, node) if node not in taken and is_plain(model, node) else None
        if pair is None or taken.intersection(pair.readers):
            continue
        layers = (pair.writer, *pair.readers)
        if all(once[name] == 1 for name in (*pair.norms, *(str(layer.target) for layer in layers))):
            found.append(pair)
            taken.update(layers)
    return found


def _pair(model: nn.Module, writer: fx.Node) -> Pair | None:
    kind = type(_part(model, writer))
    apart = (*ELEMENTWISE, *BY_CHANNEL) if kind is nn.Conv2d else ELEMENTWISE
    reached = list(_reached(model, writer, apart))
    readers = tuple(node for node in reached if is_plain(model, node))
    strange = [node for node in reached if node not in readers and not _is_one_of(model, node, apart)]
    # A linear layer behind a convolution reads places as well as channels.
    if strange or not readers or any(type(_part(model, node)) is not kind for node in readers):
        return None
    norms = (str(node.target) for node in reached if isinstance(_part(model, node), nn.BatchNorm2d))
    return Pair(writer, readers, tuple(norms))


def _reached(model: nn.Module, start: fx.Node, apart: Sequence[object]) -> Iterator[fx.Node]:
    """Return what a value runs through, up to what does not keep its channels apart, included."""
    for user in start.users:
        yield user
        if _is_one_of(model, user, apart):
            yield from _reached(model, user, apart)


def _is_one_of(model: nn.Module, node: fx.Node, apart: Sequence[object]) -> bool:
    part = _part(model, node)
    if part is None:
        return node.op in ("call_function", "call_method") and node.target in apart
    # A norm that learns nothing has no weight that says what it was sliced to.
    return type(part) in apart and getattr(part, "affine", True)


def _part(model: nn.Module, node: fx.Node) -> nn.Module | None:
    return model.get_submodule(str(node.target)) if node.op == "call_module" else None


def paired_rows(model: nn.Module, graph: fx.Graph, layers: Sequence[fx.Node | None], row: int) -> list[int]:
    """Return which of a chain's segments join the next one, so that the two layers are a pair.

    Args:
        model: What was traced.
        graph: Its graph.
        layers: The one plain layer of each segment, None where it has another or more.
        row: How many plain segments in a row it takes: where there are fewer, a cut between is worth more.
    """
    partner = {pair.writer: pair.readers for pair in pairs_of(model, graph)}
    joined: list[int] = []
    for index, layer in enumerate(layers[:-1]):
        if layer is not None and partner.get(layer) == (layers[index + 1],) and _row(layers, index) >= row:
            joined.append(index)
    return joined


def _row(layers: Sequence[fx.Node | None], index: int) -> int:
    start = next((i for i in range(index, -1, -1) if layers[i] is None), -1)
    end = next((i for i in range(index, len(layers)) if layers[i] is None), len(layers))
    return end - start - 1
