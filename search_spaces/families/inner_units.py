"""InnerUnits: where the inner units of a block sit in its tensors, by the names of its parts.

```
     writers          followers            readers
x -> conv, linear -> norm, depthwise --> conv, linear -> y       a unit: an output of the writers,
                        ^    gates: squeeze-excitation           or several in a row (a group, a head)
```
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from search_spaces.slicing import Axis

STATISTICS = ("weight", "bias", "running_mean", "running_var")


@dataclass(frozen=True)
class InnerUnits:
    """The parts of a block that units run through.

    Attributes:
        writers: Convolutions or linear layers whose outputs are the units' channels.
        readers: Convolutions or linear layers that sum over them.
        followers: Norms and depthwise or grouped convolutions that keep channels, or whole units, apart.
        gates: Squeeze-excitations over them (Hu et al. 2018, arXiv 1709.01507).
        size: Channels of a unit, in a row.
    """

    writers: tuple[str, ...]
    readers: tuple[str, ...]
    followers: tuple[str, ...] = ()
    gates: tuple[str, ...] = ()
    size: int = 1

    def axes(self, block: nn.Module) -> Mapping[str, Axis]:
        """Return, for every tensor that units index, how they do."""
        along_rows = Axis(0, self.size)
        axes = {name: along_rows for part in (*self.writers, *self.followers) for name in _tensors(block, part)}
        axes.update({f"{part}.weight": Axis(1, self.size) for part in self.readers})
        for gate in self.gates:
            axes[f"{gate}.fc1.weight"] = Axis(1, self.size)
            axes[f"{gate}.fc2.weight"] = axes[f"{gate}.fc2.bias"] = along_rows
        return axes

    def importance(self, block: nn.Module) -> Tensor:
        """Return the weight that reads a unit times what scales it, (units,).

        The scale is the last batch norm's (Liu et al. 2017, network slimming, arXiv 1708.06519); where there is
        none, the norm of the weights that write the unit.
        """
        read = sum(_squares(block, part, 1) for part in self.readers)
        norms = [part for part in self.followers if isinstance(block.get_submodule(part), nn.BatchNorm2d)]
        if norms:
            scale = block.get_parameter(f"{norms[-1]}.weight").detach().square()
        else:
            scale = torch.stack([_squares(block, part, 0) for part in self.writers]).sum(0)
        return (read * scale).unflatten(0, (-1, self.size)).sum(1).sqrt()


def _tensors(block: nn.Module, part: str) -> Iterator[str]:
    owner = block.get_submodule(part)
    for leaf in STATISTICS:
        if getattr(owner, leaf, None) is not None:
            yield f"{part}.{leaf}"


def _squares(block: nn.Module, part: str, dim: int) -> Tensor:
    weight = block.get_parameter(f"{part}.weight").detach()
    return weight.square().sum([axis for axis in range(weight.ndim) if axis != dim])
