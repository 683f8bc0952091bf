"""Transformers' MLPs and attention, and ConvNeXt's block, which is an MLP after a depthwise convolution."""

from __future__ import annotations

from collections.abc import Mapping

from torch import nn
from torchvision.models.convnext import CNBlock
from torchvision.ops.misc import MLP

from search_spaces.attention import Attention, WindowAttention
from search_spaces.families.inner_family import InnerFamily
from search_spaces.families.inner_units import InnerUnits
from search_spaces.slicing import Axis


class MlpFamily(InnerFamily):
    """linear2(sum over units of gelu(linear1_u(x))): of ViT (arXiv 2010.11929) and Swin (arXiv 2103.14030)."""

    def inner(self, block: nn.Module) -> InnerUnits | None:
        """Units are the hidden ones."""
        if not isinstance(block, MLP):
            return None
        layers = [name for name, part in block.named_children() if isinstance(part, nn.Linear)]
        return InnerUnits((layers[0],), (layers[1],)) if len(layers) == 2 else None


class AttentionFamily(InnerFamily):
    """proj(sum over heads of softmax(query_h(x) key_h(x)) value_h(x)): of ViT and, in windows, of Swin."""

    def inner(self, block: nn.Module) -> InnerUnits | None:
        """Units are the heads."""
        if not isinstance(block, Attention | WindowAttention):
            return None
        return InnerUnits(("query", "key", "value"), ("proj",), size=block.head)

    def axes(self, block: nn.Module) -> Mapping[str, Axis]:
        """Return where the heads are, a window's biases included."""
        by_head = {"scale": Axis(0), "table": Axis(1), "places.2.weight": Axis(0)}
        own = {name for name, _ in block.named_parameters()}
        return {**super().axes(block), **{name: axis for name, axis in by_head.items() if name in own}}


class ConvNextFamily(InnerFamily):
    """x + scale * linear2(sum over units of gelu(linear1_u(norm(dw(x))))); Liu et al. 2022, arXiv 2201.03545."""

    def inner(self, block: nn.Module) -> InnerUnits | None:
        """Units are the hidden ones."""
        return InnerUnits(("block.3",), ("block.5",)) if type(block) is CNBlock else None

    def skippable(self, block: nn.Module) -> bool:
        """Return True: the input is added."""
        return True
