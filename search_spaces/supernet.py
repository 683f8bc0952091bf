"""Supernet: every configuration of a chain on shared weights, taught once; sub-models are derived from it."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from search_spaces.bottleneck import Bottleneck
from search_spaces.chain import Chain
from search_spaces.config import Config
from search_spaces.derived import CloudPart, DerivedModel, EdgePart
from search_spaces.ends import Ends
from search_spaces.exits import Exits, exit_heads
from search_spaces.gate import Answering, Confidence
from search_spaces.modules import MODULES, layout_of, partitions
from search_spaces.payload import each, parts_of, payload_of, tensors_of
from search_spaces.quantiser import Dequantiser
from search_spaces.resolution import Arrangements, Sizes, reduction
from search_spaces.slicing import Kept, SharedSlice, along, sliced
from search_spaces.space import SearchSpace
from search_spaces.task import Outputs
from search_spaces.trace import Trace, run

Importance = Mapping[tuple[int, int], float]
"""Score of a module by (block index, module index)."""


@dataclass(frozen=True)
class BottleneckOptions:
    """The widest latent and the strides that every split point offers."""

    width: int
    strides: tuple[int, ...]

    @classmethod
    def of(cls, space: SearchSpace) -> BottleneckOptions:
        """Return what the space's choices need."""
        widths, strides = (tuple(int(c) for c in space[name].choices) for name in ("width", "stride"))
        return cls(max(widths), strides)


class Supernet(nn.Module):
    """A trainable copy of the cloud model's chain with a bottleneck for every tensor at every interior split point.

    At construction, every module kept and no bottleneck equals the cloud model to 1e-5.

    Args:
        cloud: The frozen cloud model's chain; what split 0 and "everything on the edge, all modules" run.
        options: What the bottlenecks offer.
        modules: M, the number of modules of a decomposable block.
        exits: What makes exit heads and reads their outputs; None where the edge answers nothing, or all.
    """

    def __init__(
        self, cloud: Chain, options: BottleneckOptions, modules: int = MODULES, exits: Exits | None = None
    ) -> None:
        super().__init__()
        self.cloud = cloud.eval().requires_grad_(False)
        self.chain = copy.deepcopy(cloud).requires_grad_(True)
        self._confidence = Confidence(exits.confidence) if exits else None
        self.layout = layout_of(cloud, modules, exits)
        self.partitions = tuple(partitions(block, modules) for block in cloud.blocks)
        self.bottlenecks = nn.ModuleDict(
            {
                str(split): each([Bottleneck(shape, options.width, options.strides) for shape in shapes])
                for split, shapes in enumerate(cloud.crossing, start=1)
            }
        )
        self.heads = nn.ModuleDict(exit_heads(cloud, exits) if exits else {})
        self._shared: dict[tuple[int, int], Callable[[Any], Any]] = {}
        self._sizes = Sizes(self.cloud)

    def train(self, mode: bool = True) -> Supernet:
        """Set the training mode; the cloud model always stays as it is deployed."""
        super().train(mode)
        self.cloud.eval()
        return self

    def calibrate(self, images: Tensor, loss: Callable[[Outputs], Tensor]) -> None:
        """Start every bottleneck from the cloud model's own features and what the loss feels of them.

        Args:
            images: (n, 3, H, W).
            loss: The task's loss of the cloud model's raw outputs for them, a scalar.
        """
        value: Any = images.detach().clone().requires_grad_(True)
        features: list[Tensor] = []
        for block in self.cloud.blocks[:-1]:
            value = _apart(block(value))
            features.extend(tensors_of(value))
        answer = self.cloud.blocks[-1](value)
        gradients = torch.autograd.grad(loss(tensors_of(answer)), features)
        every = [part for split in range(1, self.layout.splits) for part in self._bottlenecks(split)]
        for bottleneck, feature, gradient in zip(every, features, gradients, strict=True):
            bottleneck.calibrate(feature.detach(), gradient)

    def is_cloud_model(self, config: Config) -> bool:
        """Return whether a canonical Config runs the cloud model as it is and so needs no training."""
        whole = all(count == self.layout.modules for count in config.edge_modules) and not config.resolution
        return config.split == 0 or (config.split == self.layout.splits and whole)

    def cloud_config(self) -> Config:
        """Return the Config that keeps the complete cloud model on the edge."""
        full = self.layout.modules
        return Config(self.layout.splits, (full,) * self.layout.stage_count, full)

    def trace(self, images: Tensor, config: Config) -> Trace:
        """Run a training pass of a Config on the shared weights."""
        shared = [self._shared_block(i, count) for i, count in enumerate(self._counts(config))]
        blocks = self._whole_for_last(shared, config)
        interior = 0 < config.split < self.layout.splits
        crossings = [ends.shared() for ends in self._ends(config)] if interior else []
        reduce = reduction(config.resolution)
        return run(
            reduce(images) if reduce else images,
            blocks[: config.split],
            crossings,
            blocks[config.split :],
            self._shared_heads(config),
        )

    def derive(self, config: Config, importance: Importance | None = None) -> DerivedModel:
        """Return the sub-model of a canonical Config with weights of its own, physically sliced.

        Args:
            config: A canonical Config.
            importance: Ranks the modules of each block; without it the order of the partition does.
        """
        source = self.cloud if self.is_cloud_model(config) else self.chain
        counts = self._counts(config)
        own = [self._own_block(source, i, count, importance) for i, count in enumerate(counts)]
        blocks = self._whole_for_last(own, config)
        if config.split == 0:
            return DerivedModel(config, None, CloudPart(None, None, blocks))
        if config.payload == "image":
            return DerivedModel(config, self._own_answer(config, blocks), None, (), self._whole())
        if config.split == self.layout.splits:
            return DerivedModel(config, EdgePart(blocks, None, None, None, reduction(config.resolution)), None)
        return self._own_split(config, blocks)

    def kept_modules(self, block: int, count: int, importance: Importance | None = None) -> list[int]:
        """Return the indices of the ``count`` most important modules of a block."""
        modules = range(self.layout.modules)
        if importance is None:
            return list(modules[:count])
        return sorted(sorted(modules, key=lambda m: -importance[block, m])[:count])

    def _counts(self, config: Config) -> list[int]:
        """Return how many modules each block keeps."""
        full, stages = self.layout.modules, self.layout.stages
        return [
            full if stage < 0 else config.edge_modules[stage] if i < config.split else config.cloud_modules
            for i, stage in enumerate(stages)
        ]

    def _slices(self, block: int, count: int, importance: Importance | None = None) -> dict[str, Kept]:
        slices: dict[str, Kept] = {}
        for partition in self.partitions[block]:
            kept = self.kept_modules(block, max(count, 1), importance)
            slices.update(along(partition.axes, partition.units(kept), partition.target))
        return slices

    def _own_block(self, source: Chain, block: int, count: int, importance: Importance | None) -> nn.Module:
        if count == 0 and self.layout.skippable[block]:
            return nn.Identity()
        if count == self.layout.modules:
            return copy.deepcopy(source.blocks[block])
        return sliced(source.blocks[block], self._slices(block, count, importance))

    def _shared_block(self, block: int, count: int) -> Callable[[Any], Any]:
        if count == 0 and self.layout.skippable[block]:
            return _identity
        if count == self.layout.modules:
            return self.chain.blocks[block]
        key = (block, max(count, 1))
        if key not in self._shared:
            self._shared[key] = SharedSlice(self.chain.blocks[block], self._slices(*key))
        return self._shared[key]

    def _bottlenecks(self, split: int) -> list[Bottleneck]:
        """Return the bottleneck of each tensor that crosses."""
        return [part for part in parts_of(self.bottlenecks[str(split)]) if isinstance(part, Bottleneck)]

    def _ends(self, config: Config) -> list[Ends]:
        """Return both ends of each tensor that crosses."""
        found = self._sizes.at(config.split, config.resolution)
        return [Ends(*pair, config) for pair in zip(self._bottlenecks(config.split), found, strict=True)]

    def _whole_for_last(self, blocks: list[Any], config: Config) -> list[Any]:
        """Return the blocks; where all are on the edge, what the last one reads is brought back to its size."""
        everything = config.split == self.layout.splits
        return self._sizes.whole_for_last(blocks, config.resolution) if everything and config.resolution else blocks

    def _own_split(self, config: Config, blocks: Sequence[nn.Module]) -> DerivedModel:
        split, ends = config.split, self._ends(config)
        encoders, quantisers, decoders = zip(*(end.own() for end in ends), strict=True)
        answering = self._own_exit(config) if config.gated else None
        return DerivedModel(
            config,
            EdgePart(blocks[:split], each(encoders), each(quantisers), answering, reduction(config.resolution)),
            CloudPart(each([Dequantiser(part) for part in quantisers]), each(decoders), blocks[split:]),
            tuple(end.symbol_shape for end in ends),
            self._whole() if config.sends_images else None,
        )

    def _own_answer(self, config: Config, blocks: Sequence[nn.Module]) -> EdgePart:
        """Return an edge that answers by itself: by its exit head, or at N by the model's own last block."""
        if config.split == self.layout.splits:
            *rest, head = blocks
            answering = self._answering(head, self._sizes.at(len(rest), 0), config)
            return EdgePart(rest, None, None, answering, reduction(config.resolution))
        answering = self._own_exit(config)
        return EdgePart(blocks[: config.split], None, None, answering, reduction(config.resolution))

    def _own_exit(self, config: Config) -> Answering:
        found = self._sizes.at(config.split, config.resolution)
        return self._answering(self._head(config.split, config), found, config)

    def _answering(self, head: nn.Module, found: Arrangements, config: Config) -> Answering:
        assert self._confidence is not None
        answers = 2 if config.payload == "dynamic" else 1
        return Answering(copy.deepcopy(head), self._confidence, found, answers)

    def _head(self, split: int, config: Config) -> nn.Module:
        """Return a split point's exit head for features as the edge has them there."""
        head, last = self.heads[str(split)], self.layout.splits - 1
        # With everything on the edge, those before the last block are brought back already.
        whole = not config.resolution or split == last < config.split
        return head if whole else nn.Sequential(self._sizes.back(split, config.resolution), head)

    def _whole(self) -> CloudPart:
        return CloudPart(None, None, [*self.cloud.blocks])

    def _shared_heads(self, config: Config) -> dict[int, Callable[[Any], Any]]:
        """Return a split point's exit head by its place, or all of them where everything is on the edge."""
        everything = config.split == self.layout.splits
        places = [at for at in map(int, self.heads) if at == config.split or everything]
        return {at: partial(_beside, self._head(at, config)) for at in places}


def _apart(value: Any) -> Any:
    """Return a payload whose tensors are this cut's own: one that crosses several cuts has a gradient at each."""
    return payload_of(tensor.view_as(tensor) for tensor in value) if isinstance(value, tuple) else value


def _beside(head: nn.Module, value: Any) -> Any:
    """Return what an exit head makes of features; it takes them as they are, for they are the cloud's to shape."""
    return head(payload_of(tensor.detach() for tensor in tensors_of(value)))


def _identity(value: Any) -> Any:
    return value
