"""Modules: the partition of a block's inner units, ranked by importance."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.fx import GraphModule

from search_spaces.chain import Chain
from search_spaces.exits import Exits, exit_heads
from search_spaces.families.family import family_of
from search_spaces.families.inner_units import InnerUnits
from search_spaces.layout import Layout
from search_spaces.pairs import pairs_of
from search_spaces.slicing import Axis

MODULES = 4
MAX_STAGES = 4


@dataclass(frozen=True)
class Partition:
    """How one decomposable part of a block is partitioned.

    Attributes:
        target: Name of the part inside the block.
        axes: For every tensor that units index, how they do.
        modules: The units of each module, most important first; sizes differ by at most one.
        skippable: Whether no module kept is the identity.
    """

    target: str
    axes: Mapping[str, Axis]
    modules: tuple[Tensor, ...]
    skippable: bool

    def units(self, kept: Sequence[int]) -> Tensor:
        """Return the units of the kept modules in rising order, (k,), int64."""
        return torch.cat([self.modules[i] for i in kept]).sort().values


def decomposable(block: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """Yield name and module of every part of a block that has a family."""
    for name, part in block.named_modules():
        if family_of(part) is not None:
            yield name, part


def partitions(block: nn.Module, count: int = MODULES) -> tuple[Partition, ...]:
    """Partition the inner units of a block into ``count`` modules by falling importance.

    Parts that a family knows come first, then the block's own layers that are pairs. What has fewer units
    stays whole.
    """
    known = (_of_family(name, part, count) for name, part in decomposable(block))
    between = (
        Partition("", units.axes(block), _ranked(units.importance(block), count), skippable=False)
        for units in _pairs(block)
    )
    return tuple(each for each in (*known, *between) if all(len(module) for module in each.modules))


def _of_family(name: str, part: nn.Module, count: int) -> Partition:
    family = family_of(part)
    assert family is not None
    modules = _ranked(family.unit_importance(part), count)
    return Partition(name, family.axes(part), modules, family.skippable(part))


def _pairs(block: nn.Module) -> list[InnerUnits]:
    return [pair.units for pair in pairs_of(block, block.graph)] if isinstance(block, GraphModule) else []


def _ranked(importance: Tensor, count: int) -> tuple[Tensor, ...]:
    ranked = importance.argsort(descending=True, stable=True)
    return tuple(chunk.sort().values for chunk in ranked.tensor_split(count))


def layout_of(chain: Chain, count: int = MODULES, exits: Exits | None = None) -> Layout:
    """Return the chain's layout: a stage is a run of blocks with modules and outputs of one shape.

    Args:
        chain: The chain.
        count: M, the number of modules of a decomposable block.
        exits: Tells where the edge can answer; None where it answers nothing, or all.
    """
    modular = [bool(partitions(block, count)) for block in chain.blocks]
    skippable = [_is_identity_without_modules(block) for block in chain.blocks]
    answering = [*map(int, exit_heads(chain, exits)), len(chain.blocks)] if exits else []
    return Layout(tuple(_stages(chain.shapes, modular)), tuple(skippable), count, tuple(answering))


def _is_identity_without_modules(block: nn.Module) -> bool:
    """Return whether nothing is left of the block when its one decomposable part is skipped."""
    parts = partitions(block, 1)
    operations = [n for n in block.graph.nodes if n.op.startswith("call")] if isinstance(block, GraphModule) else []
    return len(operations) == 1 and len(parts) == 1 and parts[0].skippable


def _stages(shapes: Sequence[tuple[int, ...]], modular: Sequence[bool]) -> list[int]:
    """Number the stages by shape; by spatial size, then by equal runs, where there would be too many."""
    for key in (lambda shape: shape, lambda shape: shape[1:]):
        stages = _runs([key(s) for s in shapes], modular)
        if max(stages, default=-1) < MAX_STAGES:
            return stages
    blocks = [i for i, has in enumerate(modular) if has]
    return [blocks.index(i) * MAX_STAGES // len(blocks) if has else -1 for i, has in enumerate(modular)]


def _runs(keys: Sequence[tuple[int, ...]], modular: Sequence[bool]) -> list[int]:
    stages: list[int] = []
    stage, last = -1, None
    for key, has in zip(keys, modular, strict=True):
        if has and key != last:
            stage, last = stage + 1, key
        stages.append(stage if has else -1)
    return stages
