"""InnerFamily: a family of blocks that InnerUnits describes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping

from torch import Tensor, nn

from search_spaces.families.inner_units import InnerUnits
from search_spaces.slicing import Axis


class InnerFamily(ABC):
    """Says where units sit; the rest follows."""

    additive = True

    @abstractmethod
    def inner(self, block: nn.Module) -> InnerUnits | None:
        """Return where the units of a block sit, or None where it is none of this family."""

    def matches(self, block: nn.Module) -> bool:
        """Return whether the block is of this family."""
        return self.inner(block) is not None

    def axes(self, block: nn.Module) -> Mapping[str, Axis]:
        """Return, for every parameter and buffer that units index, how they do."""
        return self._inner(block).axes(block)

    def unit_importance(self, block: nn.Module) -> Tensor:
        """Return one score a unit, (units,)."""
        return self._inner(block).importance(block)

    def skippable(self, block: nn.Module) -> bool:
        """Return whether no module kept is the identity."""
        return False

    def _inner(self, block: nn.Module) -> InnerUnits:
        inner = self.inner(block)
        assert inner is not None
        return inner
