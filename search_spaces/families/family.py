"""Family: how the blocks of one architecture decompose into modules."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.metadata import entry_points
from typing import Protocol

from torch import Tensor, nn

from search_spaces.families.branches import DenseLayerFamily, FireFamily, ShuffleNetFamily
from search_spaces.families.inverted_residual import InvertedResidualFamily
from search_spaces.families.residual import BasicBlockFamily, BottleneckFamily, RegNetFamily
from search_spaces.families.transformer import AttentionFamily, ConvNextFamily, MlpFamily
from search_spaces.slicing import Axis

ENTRY_POINTS = "eccsearch.families"
BUILT_IN = (
    BasicBlockFamily(),
    BottleneckFamily(),
    RegNetFamily(),
    InvertedResidualFamily(),
    ShuffleNetFamily(),
    DenseLayerFamily(),
    FireFamily(),
    MlpFamily(),
    AttentionFamily(),
    ConvNextFamily(),
)


class Family(Protocol):
    """Blocks of the form merge(shortcut(x), post(c + sum over g of f_g(pre(x)))).

    Attributes:
        additive: Whether that holds for every subset; all modules together are the block for every family.
    """

    additive: bool

    def matches(self, block: nn.Module) -> bool:
        """Return whether the block is of this family."""
        ...

    def axes(self, block: nn.Module) -> Mapping[str, Axis]:
        """Return, for every parameter and buffer that inner units index, how they do."""
        ...

    def skippable(self, block: nn.Module) -> bool:
        """Return whether the shortcut is the identity, so that no module kept means identity."""
        ...

    def unit_importance(self, block: nn.Module) -> Tensor:
        """Return one score a unit, (units,); the larger, the more the branch depends on it."""
        ...


@cache
def families() -> tuple[Family, ...]:
    """Return the built-in families and those that installed packages plug in, which are looked up once."""
    plugged = [entry.load()() for entry in entry_points(group=ENTRY_POINTS)]
    return (*BUILT_IN, *plugged)


def family_of(block: nn.Module) -> Family | None:
    """Return the family of a block, or None where it stays one module."""
    return next((family for family in families() if family.matches(block)), None)
