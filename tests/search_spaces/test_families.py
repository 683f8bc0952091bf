"""Every family of blocks: all modules are the block, fewer are less, and where it is additive they add up."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from functools import partial

import pytest
import torch
from torch import Tensor, nn
from torchvision.models import efficientnet, maxvit, mnasnet, mobilenetv2, mobilenetv3
from torchvision.models.convnext import CNBlock
from torchvision.models.densenet import _DenseLayer
from torchvision.models.regnet import ResBottleneckBlock
from torchvision.models.resnet import BasicBlock, Bottleneck
from torchvision.models.shufflenetv2 import InvertedResidual
from torchvision.models.squeezenet import Fire
from torchvision.ops.misc import MLP

from automl.conformance import check_part, stir
from search_spaces.families.family import family_of
from search_spaces.families.inner_family import InnerFamily
from search_spaces.modules import partitions
from search_spaces.slicing import along, sliced

NORM = nn.BatchNorm2d
V3 = mobilenetv3.InvertedResidualConfig(16, 3, 32, 16, True, "HS", 1, 1, 1.0)
BLOCKS: dict[str, Callable[[], nn.Module]] = {
    "basic": lambda: BasicBlock(16, 16),
    "bottleneck": lambda: Bottleneck(16, 4),
    "resnext": lambda: Bottleneck(16, 4, groups=4, base_width=32),
    "regnet": lambda: ResBottleneckBlock(16, 16, 1, NORM, nn.ReLU, 4, 1.0, 0.25),
    "mobilenet_v2": lambda: mobilenetv2.InvertedResidual(16, 16, 1, 4),
    "mobilenet_v3": lambda: mobilenetv3.InvertedResidual(V3, NORM),
    "mbconv": lambda: efficientnet.MBConv(efficientnet.MBConvConfig(4, 3, 1, 16, 16, 1), 0.0, NORM),
    "fused_mbconv": lambda: efficientnet.FusedMBConv(efficientnet.FusedMBConvConfig(4, 3, 1, 16, 16, 1), 0.0, NORM),
    "mnasnet": lambda: mnasnet._InvertedResidual(16, 16, 3, 1, 3),
    "maxvit": lambda: maxvit.MBConv(16, 16, 2.0, 0.25, 1, nn.GELU, NORM, 0.0),
    "shufflenet": lambda: InvertedResidual(16, 16, 1),
    "shufflenet_down": lambda: InvertedResidual(16, 32, 2),
    "densenet": lambda: _DenseLayer(16, 8, 4, 0.0),
    "fire": lambda: Fire(16, 8, 12, 12),
    "mlp": lambda: MLP(12, [32, 12], activation_layer=nn.GELU, inplace=None),
    "convnext": lambda: CNBlock(16, 1.0, 0.0),
}
WITHOUT_UNITS: dict[str, Callable[[], nn.Module]] = {
    "mobilenet_v2": lambda: mobilenetv2.InvertedResidual(16, 16, 1, 1),
    "mbconv": lambda: efficientnet.MBConv(efficientnet.MBConvConfig(1, 3, 1, 16, 16, 1), 0.0, NORM),
    "fused_mbconv": lambda: efficientnet.FusedMBConv(efficientnet.FusedMBConvConfig(1, 3, 1, 16, 16, 1), 0.0, NORM),
    "group norm": lambda: BasicBlock(16, 16, norm_layer=partial(nn.GroupNorm, 4)),
}
EVERY = pytest.mark.parametrize("name", BLOCKS)


def block(name: str) -> nn.Module:
    torch.manual_seed(0)
    made = BLOCKS[name]()
    stir(made)
    return made.eval()


def features() -> Tensor:
    # Height and channels alike, so that blocks that want channels first and those that want them last both run.
    return torch.rand(2, 16, 12, 12, generator=torch.Generator().manual_seed(1))


@EVERY
def test_full_slices_and_gradients(name: str) -> None:
    made = block(name)
    (partition,) = partitions(made)
    check_part(made, partition, features(), name)


@EVERY
def test_where_a_family_is_additive_modules_add_up(name: str) -> None:
    made = block(name)
    family = family_of(made)
    assert isinstance(family, InnerFamily)
    if not family.additive:
        pytest.skip("the gate is computed from the kept channels")
    (partition,) = partitions(made)

    def read(modules: tuple[int, ...]) -> list[Tensor]:
        slim = sliced(made, along(partition.axes, partition.units(modules)))
        return outputs(slim, family.inner(made).readers, features())  # type: ignore[union-attr]

    alone = {module: read((module,)) for module in range(4)}
    for count in (2, 3, 4):
        for modules in itertools.combinations(range(4), count):
            for index, together in enumerate(read(modules)):
                added = torch.stack([alone[module][index] for module in modules]).sum(0)
                torch.testing.assert_close(together, added, atol=1e-5, rtol=1e-5)


def outputs(slim: nn.Module, readers: tuple[str, ...], value: Tensor) -> list[Tensor]:
    """What the readers give, their biases taken off."""
    found: list[Tensor] = []
    for reader in readers:
        part = slim.get_submodule(reader)
        if getattr(part, "bias", None) is not None:
            nn.init.zeros_(part.bias)  # type: ignore[arg-type]
        part.register_forward_hook(lambda module, inputs, output: found.append(output.clone()))
    slim(value)
    return found


@EVERY
def test_skippable_means_that_without_its_branch_a_block_is_the_identity(name: str) -> None:
    made = block(name)
    family = family_of(made)
    assert isinstance(family, InnerFamily)
    if family.skippable(made):
        for reader in family.inner(made).readers:  # type: ignore[union-attr]
            nn.init.zeros_(made.get_submodule(reader).weight)  # type: ignore[arg-type]
        for part in made.modules():
            if isinstance(part, nn.BatchNorm2d):
                part.reset_running_stats()
            if getattr(part, "bias", None) is not None:
                nn.init.zeros_(part.bias)  # type: ignore[arg-type]
        torch.testing.assert_close(made(features()), features())


@pytest.mark.parametrize("name", WITHOUT_UNITS)
def test_a_block_without_inner_units_stays_one_module(name: str) -> None:
    assert family_of(WITHOUT_UNITS[name]()) is None
