"""Conformance: the laws that every model keeps whose chain and modules are searched; for models of one's own, too.

```
chain      splitting and joining at every cut is the model, to 1e-5
full       every block with all of its modules is the block, to 1e-5
slices     fewer modules run, and cost fewer multiply-adds by fvcore
gradients  reach every unit that is kept, and no other
export     the edge part runs in onnxruntime at the first, a middle and the last cut
```
"""

from __future__ import annotations

import copy
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from deploy.session import Session
from evaluators.flops import flops
from results.onnx_export import write_onnx
from search_spaces.chain import Chain, chain_of
from search_spaces.modules import MODULES, Partition, partitions
from search_spaces.payload import Payload, tensors_of
from search_spaces.slicing import SharedSlice, along, sliced

TOLERANCE = 1e-5
EXPORT_TOLERANCE = 1e-3
"""Another runtime adds up in another order."""


class ConformanceError(Exception):
    """A law is broken: which one, where, and by how much."""


@dataclass(frozen=True)
class Report:
    """What the laws were checked on.

    Attributes:
        blocks: N, the number of blocks.
        parts: Parts of blocks that have modules.
        covered: Share of the blocks' multiply-adds in blocks that have modules.
        whole: Names of the classes of blocks that stay one module.
    """

    blocks: int
    parts: int
    covered: float
    whole: tuple[str, ...]


def check_model(model: nn.Module, example: Tensor, export: bool = True) -> Report:
    """Check every law on a copy of a model.

    Args:
        model: Maps images (b, 3, H, W) to a tensor or a tuple of tensors.
        example: Images of the size it is for, (1, 3, H, W).
        export: Check the export too, which takes the longest.

    Raises:
        ConformanceError: naming the first law that is broken.
        UserError: torch.fx cannot trace the model, or it cannot be cut.
    """
    model = copy.deepcopy(model).eval()
    stir(model)
    chain = chain_of(model, example)
    inputs = check_chain(model, chain, example)
    for index, (block, value) in enumerate(zip(chain.blocks, inputs, strict=True)):
        for partition in partitions(block):
            check_part(block, partition, value, f"block {index}, {partition.target or type(block).__name__}")
    if export:
        for cut in sorted({1, len(chain.blocks) // 2, len(chain.blocks) - 1}):
            check_export(chain, cut, example)
    return _report(chain, inputs)


@torch.no_grad()
def stir(model: nn.Module) -> None:
    """Let every batch norm do something, in place: fresh ones change nothing or shut off a branch, or its units."""
    generator = torch.Generator().manual_seed(3)
    for norm in model.modules():
        if isinstance(norm, nn.BatchNorm2d) and norm.affine and norm.track_running_stats:
            assert norm.running_mean is not None and norm.running_var is not None
            norm.running_mean.copy_(torch.randn(norm.num_features, generator=generator) * 0.1)
            norm.running_var.copy_(torch.rand(norm.num_features, generator=generator) + 0.5)
            norm.weight.copy_(torch.rand(norm.num_features, generator=generator) + 0.5)
            norm.bias.copy_(torch.rand(norm.num_features, generator=generator))


@torch.no_grad()
def check_chain(model: nn.Module, chain: Chain, example: Tensor) -> list[Payload]:
    """Check the chain's law; return what every block is given."""
    value: Payload = example
    inputs = []
    for block in chain.blocks:
        inputs.append(value)
        value = block(value)
    expected = model.eval()(example)
    _close(value, expected, TOLERANCE, "chain: the joined blocks are not the model")
    return inputs


def check_part(block: nn.Module, partition: Partition, value: Payload, where: str) -> None:
    """Check the laws of one part of a block on an input of the block."""
    counts = range(1, len([module for module in partition.modules if len(module)]) + 1)
    costs = []
    for count in counts:
        slices = along(partition.axes, partition.units(range(count)), partition.target)
        own = sliced(block, slices).eval()
        costs.append(flops(own, value))
        with torch.no_grad():
            _close(SharedSlice(block.eval(), slices)(value), own(value), TOLERANCE, f"shared slice of {where}")
            if count == counts[-1]:
                _close(own(value), block(value), TOLERANCE, f"full: all modules of {where} are not the block")
    if costs != sorted(set(costs)):
        raise ConformanceError(f"slices: fewer modules of {where} do not cost less: {costs} multiply-adds")
    _check_gradients(block, partition, value, where)


def _check_gradients(block: nn.Module, partition: Partition, value: Payload, where: str) -> None:
    kept = partition.units([0])
    slices = along(partition.axes, kept, partition.target)
    names = [name for name in slices if name in dict(block.named_parameters())]
    parameters = [block.get_parameter(name) for name in names]
    before = [parameter.requires_grad for parameter in parameters]
    for parameter in parameters:
        parameter.requires_grad_(True)
    # Squares, so that what a softmax or a norm keeps constant in sum is felt.
    answers = tensors_of(SharedSlice(block, slices)(value))
    loss = torch.stack([answer.square().sum() for answer in answers]).sum()
    gradients = torch.autograd.grad(loss, parameters)
    for parameter, was in zip(parameters, before, strict=True):
        parameter.requires_grad_(was)
    for name, gradient in zip(names, gradients, strict=True):
        dim, entries = slices[name]
        dropped = torch.ones(gradient.shape[dim], dtype=torch.bool)
        dropped[entries] = False
        if gradient.index_select(dim, dropped.nonzero().flatten()).any() or not gradient.any():
            raise ConformanceError(f"gradients: {name} of {where} learns what is not kept, or nothing")


def check_export(chain: Chain, cut: int, example: Tensor) -> None:
    """Check that the first ``cut`` blocks run in onnxruntime as they do here."""
    edge = nn.Sequential(*chain.blocks[:cut]).eval()
    with tempfile.TemporaryDirectory() as folder, torch.no_grad():
        path = Path(folder) / "edge.onnx"
        write_onnx(edge, example, path)
        found = Session(path, torch.get_num_threads()).run(example.numpy())
        _close(tuple(map(torch.from_numpy, found)), edge(example), EXPORT_TOLERANCE, f"export at cut {cut}")


def _report(chain: Chain, inputs: list[Payload]) -> Report:
    costs = [flops(block, value) for block, value in zip(chain.blocks, inputs, strict=True)]
    parts = [len(partitions(block, MODULES)) for block in chain.blocks]
    covered = sum(cost for cost, count in zip(costs, parts, strict=True) if count)
    return Report(len(parts), sum(parts), covered / max(1, sum(costs)), tuple(dict.fromkeys(_whole(chain))))


def _whole(chain: Chain) -> Iterator[str]:
    """Return the classes of convolutions' and layers' owners that have no modules."""
    for block in chain.blocks:
        if not partitions(block, MODULES):
            yield from (type(part).__name__ for part in block.children())


def _close(found: Payload, expected: Payload, tolerance: float, law: str) -> None:
    for ours, theirs in zip(tensors_of(found), tensors_of(expected), strict=True):
        apart = float((ours - theirs).abs().max())
        # Relative where values are large: untrained deep networks reach any size.
        if not apart <= tolerance * max(1.0, float(theirs.abs().max())):
            raise ConformanceError(f"{law}: they differ by {apart:.1e}")
