"""Chain: a model as a sequence of blocks, cut by torch.fx where few tensors cross."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from operator import getitem

import torch
from torch import Tensor, fx, nn
from torchvision.ops.misc import SqueezeExcitation

from deploy.errors import UserError, first_line
from search_spaces.attention import with_own_attention, with_own_windows
from search_spaces.cuts import Segment, Shape, segments_of
from search_spaces.families.family import family_of
from search_spaces.payload import tensors_of


class Chain(nn.Module):
    """N blocks whose composition is the model (law: ``chain(x) == model(x)`` to 1e-5).

    Args:
        blocks: Each takes what the one before it gives: a tensor, or a tuple where several cross.
        shapes: Of what each block gives for one sample, without the batch.
    """

    def __init__(self, blocks: Sequence[nn.Module], shapes: Sequence[tuple[Shape, ...]]) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(blocks)
        self.crossing = tuple(shapes[:-1])
        """Shapes of the tensors that cross each cut, for one sample."""
        self.shapes = (*(each[-1] for each in shapes[:-1]), shapes[-1][0])
        """Shape of each block's newest output for one sample; of the last block: its first output's."""

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Return the model's raw outputs for images (b, 3, H, W)."""
        value = images
        for block in self.blocks:
            value = block(value)
        return tensors_of(value)


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
        reason = first_line(error)
        raise UserError(
            f"torch.fx cannot trace {type(model).__name__}: {reason}; make its forward free of "
            "control flow that depends on tensors"
        ) from error
    with_own_attention(model, graph)
    segments = segments_of(model, graph, example)
    if len(segments) < 2:
        raise UserError(f"{type(model).__name__} has no place where few tensors cross, so it cannot be split")
    answers = _answers(segments, graph)
    blocks = [_segment_module(model, *each) for each in zip(segments, answers, strict=True)]
    return Chain(blocks, _shapes(blocks, example))


def _segment_module(model: nn.Module, segment: Segment, outputs: fx.node.Argument) -> fx.GraphModule:
    part = fx.Graph()
    copies = _inputs(part, segment)
    for node in segment.nodes:
        for needed in node.all_input_nodes:
            if needed.op == "get_attr" and needed not in copies:
                copies[needed] = part.node_copy(needed)
        copies[node] = part.node_copy(node, lambda n: copies[n])
    part.output(fx.node.map_arg(outputs, lambda n: copies[n]))
    return fx.GraphModule(model, part)


def _inputs(part: fx.Graph, segment: Segment) -> dict[fx.Node, fx.Node]:
    value = part.placeholder("value")
    if len(segment.inputs) == 1:
        return {segment.inputs[0]: value}
    return {node: part.call_function(getitem, (value, i)) for i, node in enumerate(segment.inputs)}


def _answers(segments: Sequence[Segment], graph: fx.Graph) -> list[fx.node.Argument]:
    """Return what each segment gives: what crosses the cut behind it, and the last one the raw outputs."""
    final = next(n for n in graph.nodes if n.op == "output")
    crossing = [segment.inputs for segment in segments[1:]]
    return [*(inputs if len(inputs) > 1 else inputs[0] for inputs in crossing), final.args[0]]


def _shapes(blocks: Sequence[nn.Module], example: Tensor) -> list[tuple[Shape, ...]]:
    value, shapes = example, []
    with torch.no_grad():
        for block in blocks:
            value = block(value)
            shapes.append(tuple(tuple(tensor.shape[1:]) for tensor in tensors_of(value)))
    return shapes
