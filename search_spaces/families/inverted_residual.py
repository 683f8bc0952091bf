"""Inverted residuals: MobileNet v2 and v3, MNASNet, EfficientNet's MBConv and fused MBConv, MaxViT's MBConv."""

from __future__ import annotations

from torch import nn
from torchvision.models import efficientnet, maxvit, mnasnet, mobilenetv2, mobilenetv3
from torchvision.ops.misc import SqueezeExcitation

from search_spaces.families.inner_family import InnerFamily
from search_spaces.families.inner_units import InnerUnits

ROWS: dict[type[nn.Module], str] = {
    mobilenetv2.InvertedResidual: "conv",
    mobilenetv3.InvertedResidual: "block",
    efficientnet.MBConv: "block",
    efficientnet.FusedMBConv: "block",
    mnasnet._InvertedResidual: "layers",
    maxvit.MBConv: "layers",
}
"""The name of the row of layers in each."""


class InvertedResidualFamily(InnerFamily):
    """x + project(gate(depthwise(expand(x)))), some without gate or depthwise (Sandler et al. 2018, 1801.04381).

    A block that does not expand runs its depthwise convolution on what it is given: that has no inner units.
    """

    # Where there is a gate it is computed from the kept channels, so the sum depends on the subset.
    additive = False

    def inner(self, block: nn.Module) -> InnerUnits | None:
        """Units are the expanded channels."""
        row = ROWS.get(type(block))
        if row is None:
            return None
        convs = [name for name, part in block.named_modules() if _is_in(name, row) and isinstance(part, nn.Conv2d)]
        gates = [name for name, part in block.named_modules() if isinstance(part, SqueezeExcitation)]
        convs = [name for name in convs if not any(name.startswith(f"{gate}.") for gate in gates)]
        if len(convs) < 2 or block.get_submodule(convs[0]).groups != 1:
            return None
        return InnerUnits((convs[0],), (convs[-1],), (*_between(block, row, convs), *convs[1:-1]), tuple(gates))

    def skippable(self, block: nn.Module) -> bool:
        """Return whether the input is added."""
        return bool(getattr(block, "use_res_connect", False) or getattr(block, "apply_residual", False))


def _is_in(name: str, row: str) -> bool:
    return name.startswith(f"{row}.")


def _between(block: nn.Module, row: str, convs: list[str]) -> list[str]:
    """Return the batch norms after the first and before the last convolution, in order."""
    names = [name for name, _ in block.named_modules()]
    first, last = names.index(convs[0]), names.index(convs[-1])
    return [name for name in names[first:last] if isinstance(block.get_submodule(name), nn.BatchNorm2d)]
