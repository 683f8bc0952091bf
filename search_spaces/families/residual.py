"""torchvision's residual blocks: BasicBlock, Bottleneck (with groups too) and RegNet's."""

from __future__ import annotations

from torch import nn
from torchvision.models.regnet import ResBottleneckBlock
from torchvision.models.resnet import BasicBlock, Bottleneck

from search_spaces.families.inner_family import InnerFamily
from search_spaces.families.inner_units import InnerUnits


class BasicBlockFamily(InnerFamily):
    """relu(shortcut(x) + bn2(sum over units of conv2_u(relu(bn1(conv1_u(x)))))) (He et al. 2016, 1512.03385)."""

    def inner(self, block: nn.Module) -> InnerUnits | None:
        """Units are conv1's output channels."""
        if type(block) is not BasicBlock or not isinstance(block.bn1, nn.BatchNorm2d):
            return None
        return InnerUnits(("conv1",), ("conv2",), ("bn1",))

    def skippable(self, block: nn.Module) -> bool:
        """Return whether there is no projection on the shortcut."""
        return block.downsample is None


class BottleneckFamily(InnerFamily):
    """relu(shortcut(x) + bn3(sum over units of conv3_u(relu(bn2(conv2_u(relu(bn1(conv1(x)))))))))."""

    def inner(self, block: nn.Module) -> InnerUnits | None:
        """Units are conv2's output channels, or whole groups of it, whose inputs conv1 writes (ResNeXt)."""
        if type(block) is not Bottleneck or not isinstance(block.bn2, nn.BatchNorm2d):
            return None
        groups, size = _groups(block, "conv2")
        if groups == 1:
            return InnerUnits(("conv2",), ("conv3",), ("bn2",))
        return InnerUnits(("conv1",), ("conv3",), ("bn1", "conv2", "bn2"), size=size)

    def skippable(self, block: nn.Module) -> bool:
        """Return whether there is no projection on the shortcut."""
        return block.downsample is None


class RegNetFamily(InnerFamily):
    """RegNet's bottleneck, whose middle convolution's groups stay whole (Radosavovic et al. 2020, 2003.13678)."""

    # With squeeze-excitation the gate is computed from the kept channels, so the sum depends on the subset.
    additive = False

    def inner(self, block: nn.Module) -> InnerUnits | None:
        """Units are the groups of the middle convolution."""
        if type(block) is not ResBottleneckBlock:
            return None
        gates = tuple(name for name, _ in block.named_modules() if name == "f.se")
        _, size = _groups(block, "f.b.0")
        return InnerUnits(("f.a.0",), ("f.c.0",), ("f.a.1", "f.b.0", "f.b.1"), gates, size)

    def skippable(self, block: nn.Module) -> bool:
        """Return whether there is no projection on the shortcut."""
        return block.proj is None


def _groups(block: nn.Module, name: str) -> tuple[int, int]:
    """Return a convolution's number of groups and the output channels of each."""
    conv = block.get_submodule(name)
    assert isinstance(conv, nn.Conv2d)
    return conv.groups, conv.out_channels // conv.groups
