"""Chain: a model as a sequence of blocks, cut by torch.fx where a single tensor crosses."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import torch
from torch import Tensor, fx, nn
from torchvision.ops.misc import SqueezeExcitation

from deploy.errors import UserError
from search_spaces.attention import with_own_attention, with_own_windows
from search_spaces.families.family import family_of
from search_spaces.pairs import is_plain, paired_rows

PLAIN_ROW = 4
"""From so many plain layers in a row on they are joined in pairs, which have modules, where one alone has none."""
_HEAVY = (nn.Conv2d, nn.Linear)


class Chain(nn.Module):
    """N blocks whose composition is the model (law: ``chain(x) == model(x)`` to 1e-5)."""

    def __init__(self, blocks: Sequence[nn.Module], shapes: Sequence[tuple[int, ...]]) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(blocks)
        self.shapes = tuple(shapes)
        """Shape of each block's output for one sample, without the batch; of the last block: its first output's."""

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Return the model's raw outputs for images (b, 3, H, W)."""
        value = images
        for block in self.blocks:
            value = block(value)
        return value if isinstance(value, tuple) else (value,)


class _FamilyTracer(fx.Tracer):
    """Keeps blocks of a known family whole, and gates, whose own channels are too few to be modules."""

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        kept = isinstance(m, SqueezeExcitation) or family_of(m) is not None
        return kept or super().is_leaf_module(m, module_qualified_name)


def chain_of(model: nn.Module, example: Tensor) -> Chain:
    """Cut a copy of ``model`` into a chain.

    Args:
        model: Maps images (b, 3, H, W) to a tensor or a tuple of tensors.
        example: Images of the size the chain is for, (1, 3, H, W).

    Raises:
        UserError: torch.fx cannot trace the model, or it has no place to cut.
    """
    model = with_own_windows(copy.deepcopy(model).eval())
    try:
        graph = _FamilyTracer().trace(model)
    except Exception as error:  # fx raises whatever the traced code raises
        reason = str(error).splitlines()[0]
        raise UserError(
            f"torch.fx cannot trace {type(model).__name__}: {reason}; make its forward free of "
            "control flow that depends on tensors"
        ) from error
    with_own_attention(model, graph)
    segments = _joined(model, graph, _segments(model, graph))
    if len(segments) < 2:
        raise UserError(f"{type(model).__name__} has no place where a single tensor crosses, so it cannot be split")
    blocks = [_segment_module(model, segment, graph) for segment in segments]
    return Chain(blocks, _shapes(blocks, example))


def _segments(model: nn.Module, graph: fx.Graph) -> list[list[fx.Node]]:
    """Cut the graph before every heavy operation at which exactly one tensor is live.

    What is cheap (activation, pooling) stays with the heavy operation before it.
    """
    nodes = [n for n in graph.nodes if n.op not in ("placeholder", "output", "get_attr")]
    spans: list[list[fx.Node]] = []
    for node, live in zip(nodes, _live(graph, nodes), strict=True):
        if live == 1 or not spans:
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


def _live(graph: fx.Graph, nodes: list[fx.Node]) -> list[int]:
    """Return, before each node, how many values computed so far are still needed."""
    order = {node: i for i, node in enumerate(nodes)}
    live = [0] * len(nodes)
    for value in graph.nodes:
        if value.op in ("output", "get_attr"):
            continue
        last = max((order.get(user, len(nodes) - 1) for user in value.users), default=-1)
        for i in range(order.get(value, -1) + 1, last + 1):
            live[i] += 1
    return live


def _is_heavy(model: nn.Module, node: fx.Node) -> bool:
    if node.op != "call_module":
        return False
    module = model.get_submodule(str(node.target))
    return isinstance(module, _HEAVY) or family_of(module) is not None


def _segment_module(model: nn.Module, segment: list[fx.Node], graph: fx.Graph) -> fx.GraphModule:
    part = fx.Graph()
    outside = {a for n in segment for a in n.all_input_nodes if a not in segment and a.op != "get_attr"}
    copies = {node: part.placeholder("value") for node in outside}
    for node in segment:
        for needed in node.all_input_nodes:
            if needed.op == "get_attr" and needed not in copies:
                copies[needed] = part.node_copy(needed)
        copies[node] = part.node_copy(node, lambda n: copies[n])
    part.output(_result(segment, graph, copies))
    return fx.GraphModule(model, part)


def _result(segment: list[fx.Node], graph: fx.Graph, copies: dict[fx.Node, fx.Node]) -> fx.node.Argument:
    final = next(n for n in graph.nodes if n.op == "output")
    if any(n in segment for n in final.all_input_nodes):
        return fx.node.map_arg(final.args[0], lambda n: copies[n])
    return copies[next(n for n in reversed(segment) if any(u not in segment for u in n.users))]


def _shapes(blocks: Sequence[nn.Module], example: Tensor) -> list[tuple[int, ...]]:
    value, shapes = example, []
    with torch.no_grad():
        for block in blocks:
            value = block(value)
            first = value[0] if isinstance(value, tuple) else value
            shapes.append(tuple(first.shape[1:]))
    return shapes
