"""torchvision's BasicBlock (He et al. 2016, arXiv 1512.03385): units are conv1's output channels."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn
from torchvision.models.resnet import BasicBlock

_BY_UNIT = {
    "conv1.weight": 0,
    "bn1.weight": 0,
    "bn1.bias": 0,
    "bn1.running_mean": 0,
    "bn1.running_var": 0,
    "conv2.weight": 1,
}


class BasicBlockFamily:
    """relu(shortcut(x) + bn2(sum over units of conv2_u(relu(bn1(conv1_u(x)))))): FULL and ADDITIVE."""

    def matches(self, block: nn.Module) -> bool:
        """Return whether the block is a plain BasicBlock with batch norm."""
        return type(block) is BasicBlock and isinstance(block.bn1, nn.BatchNorm2d)

    def axes(self, block: nn.Module) -> Mapping[str, int]:
        """Return where conv1's output channels sit."""
        return _BY_UNIT

    def skippable(self, block: nn.Module) -> bool:
        """Return whether there is no projection on the shortcut."""
        return block.downsample is None

    def unit_importance(self, block: nn.Module) -> Tensor:
        """Return |batch-norm scale| times the norm of the weights that read the unit, (units,).

        The batch-norm scale as importance is Liu et al. 2017 (network slimming, arXiv 1708.06519).
        """
        scale = block.get_parameter("bn1.weight").detach().abs()
        readers = block.get_parameter("conv2.weight").detach()
        return scale * readers.square().sum(dim=(0, 2, 3)).sqrt()
