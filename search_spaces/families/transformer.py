"""MLPs of transformers, and ConvNeXt's block, which is one after a depthwise convolution."""

from __future__ import annotations

from torch import nn
from torchvision.models.convnext import CNBlock
from torchvision.ops.misc import MLP

from search_spaces.families.inner_family import InnerFamily
from search_spaces.families.inner_units import InnerUnits


class MlpFamily(InnerFamily):
    """linear2(sum over units of gelu(linear1_u(x))): of ViT (arXiv 2010.11929) and Swin (arXiv 2103.14030)."""

    def inner(self, block: nn.Module) -> InnerUnits | None:
        """Units are the hidden ones."""
        if not isinstance(block, MLP):
            return None
        layers = [name for name, part in block.named_children() if isinstance(part, nn.Linear)]
        return InnerUnits((layers[0],), (layers[1],)) if len(layers) == 2 else None


class ConvNextFamily(InnerFamily):
    """x + scale * linear2(sum over units of gelu(linear1_u(norm(dw(x))))); Liu et al. 2022, arXiv 2201.03545."""

    def inner(self, block: nn.Module) -> InnerUnits | None:
        """Units are the hidden ones."""
        return InnerUnits(("block.3",), ("block.5",)) if type(block) is CNBlock else None

    def skippable(self, block: nn.Module) -> bool:
        """Return True: the input is added."""
        return True
