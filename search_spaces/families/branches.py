"""Blocks of several branches: ShuffleNet v2, DenseNet's layers and SqueezeNet's fire."""

from __future__ import annotations

from torch import nn
from torchvision.models.densenet import _DenseLayer
from torchvision.models.shufflenetv2 import InvertedResidual
from torchvision.models.squeezenet import Fire

from search_spaces.families.inner_family import InnerFamily
from search_spaces.families.inner_units import InnerUnits


class ShuffleNetFamily(InnerFamily):
    """shuffle(branch1(x), relu(bn(sum over units of conv_u(bn(dw_u(relu(bn(conv_u(x)))))))); arXiv 1807.11164."""

    def inner(self, block: nn.Module) -> InnerUnits | None:
        """Units are the channels inside of the second branch."""
        if type(block) is not InvertedResidual:
            return None
        return InnerUnits(("branch2.0",), ("branch2.5",), ("branch2.1", "branch2.3", "branch2.4"))


class DenseLayerFamily(InnerFamily):
    """conv2(sum over units of relu(norm2(conv1_u(relu(norm1(x)))))); Huang et al. 2017, arXiv 1608.06993."""

    def inner(self, block: nn.Module) -> InnerUnits | None:
        """Units are conv1's output channels."""
        if type(block) is not _DenseLayer:
            return None
        return InnerUnits(("conv1",), ("conv2",), ("norm2",))


class FireFamily(InnerFamily):
    """Both expansions of a squeeze; Iandola et al. 2016, arXiv 1602.07360."""

    def inner(self, block: nn.Module) -> InnerUnits | None:
        """Units are the squeezed channels."""
        if type(block) is not Fire:
            return None
        return InnerUnits(("squeeze",), ("expand1x1", "expand3x3"))
