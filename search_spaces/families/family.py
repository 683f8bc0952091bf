"""Family: how the blocks of one architecture decompose into modules."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import entry_points
from typing import Protocol

from torch import Tensor, nn

from search_spaces.families.basic_block import BasicBlockFamily

ENTRY_POINTS = "eccsearch.families"


class Family(Protocol):
    """Blocks of the form merge(shortcut(x), post(c + sum over g of f_g(pre(x))))."""

    def matches(self, block: nn.Module) -> bool:
        """Return whether the block is of this family."""
        ...

    def axes(self, block: nn.Module) -> Mapping[str, int]:
        """Return, for every parameter and buffer that inner units index, the dimension they index."""
        ...

    def skippable(self, block: nn.Module) -> bool:
        """Return whether the shortcut is the identity, so that no module kept means identity."""
        ...

    def unit_importance(self, block: nn.Module) -> Tensor:
        """Return one score a unit, (units,); the larger, the more the branch depends on it."""
        ...


def families() -> tuple[Family, ...]:
    """Return the built-in families and those that installed packages plug in."""
    plugged = [entry.load()() for entry in entry_points(group=ENTRY_POINTS)]
    return (BasicBlockFamily(), *plugged)


def family_of(block: nn.Module) -> Family | None:
    """Return the family of a block, or None where it stays one module."""
    return next((family for family in families() if family.matches(block)), None)
