"""Modules: a block's units in parts that add up to the block."""

from __future__ import annotations

import itertools

import pytest
import torch
from torch import Tensor, nn
from torchvision.models.resnet import BasicBlock

from automl.conformance import stir
from search_spaces.chain import Chain
from search_spaces.families.residual import BasicBlockFamily
from search_spaces.modules import layout_of, partitions
from search_spaces.slicing import SharedSlice, along, sliced

FEATURES = torch.rand(2, 8, 6, 6, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def block() -> BasicBlock:
    torch.manual_seed(0)
    made = BasicBlock(8, 8)
    stir(made)
    return made.eval()


def branch(block: nn.Module, features: Tensor) -> Tensor:
    """The residual branch before the shortcut is added."""
    hidden = block.get_submodule("relu")(block.get_submodule("bn1")(block.get_submodule("conv1")(features)))
    out: Tensor = block.get_submodule("bn2")(block.get_submodule("conv2")(hidden))
    return out


def kept(block: nn.Module, modules: list[int]) -> nn.Module:
    (partition,) = partitions(block, 4)
    return sliced(block, along(partition.axes, partition.units(modules)))


def test_modules_partition_the_units_and_sizes_differ_by_at_most_one() -> None:
    (partition,) = partitions(BasicBlock(8, 10), 4)
    sizes = [len(module) for module in partition.modules]
    assert sorted(torch.cat(partition.modules).tolist()) == list(range(10))
    assert max(sizes) - min(sizes) <= 1


def test_full_all_modules_are_the_block(block: BasicBlock) -> None:
    torch.testing.assert_close(kept(block, [0, 1, 2, 3])(FEATURES), block(FEATURES), atol=1e-5, rtol=0)


@pytest.mark.parametrize("modules", [list(m) for k in range(1, 5) for m in itertools.combinations(range(4), k)])
def test_additive_any_subset_is_the_constant_and_its_modules_sum(block: BasicBlock, modules: list[int]) -> None:
    constant = block.bn2(torch.zeros(2, 8, 6, 6))
    parts = [branch(kept(block, [m]), FEATURES) - constant for m in modules]
    together = branch(kept(block, modules), FEATURES)
    torch.testing.assert_close(together, constant + sum(parts), atol=1e-5, rtol=0)


@pytest.mark.parametrize("modules", [[0], [1, 3], [0, 1, 2]])
def test_a_slice_on_shared_weights_is_the_slice_of_its_own(block: BasicBlock, modules: list[int]) -> None:
    (partition,) = partitions(block, 4)
    shared = SharedSlice(block, along(partition.axes, partition.units(modules)))
    torch.testing.assert_close(shared(FEATURES), kept(block, modules)(FEATURES), atol=0, rtol=0)


def test_gradients_reach_the_kept_units_and_only_them(block: BasicBlock) -> None:
    (partition,) = partitions(block, 4)
    units = partition.units([1])
    SharedSlice(block, along(partition.axes, units))(FEATURES).sum().backward()
    touched = block.conv1.weight.grad.abs().sum(dim=(1, 2, 3)).nonzero().flatten()
    assert touched.tolist() == units.tolist()


def test_a_shared_slice_leaves_the_statistics_of_the_whole_block_alone(block: BasicBlock) -> None:
    (partition,) = partitions(block, 4)
    before = {name: buffer.clone() for name, buffer in block.named_buffers()}
    SharedSlice(block.train(), along(partition.axes, partition.units([0])))(FEATURES)
    for name, buffer in block.named_buffers():
        assert torch.equal(buffer, before[name]), name


def test_the_most_important_units_make_the_first_module(block: BasicBlock) -> None:
    (partition,) = partitions(block, 4)
    scores = BasicBlockFamily().unit_importance(block)
    assert scores[partition.modules[0]].min() >= scores[partition.modules[1]].max()


def test_stages_are_runs_of_blocks_of_one_shape(chain: Chain) -> None:
    layout = layout_of(chain)
    assert layout.stages == (-1, 0, 1, 1, -1)
    assert layout.skippable == (False, True, False, True, False)
