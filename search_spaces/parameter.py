"""Parameter: one discrete choice of a search space."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from deploy.errors import UserError
from search_spaces.config import Value


@dataclass(frozen=True)
class Parameter:
    """One discrete parameter: its choices in rising order, and the one a Config gets when it says nothing."""

    name: str
    choices: tuple[Value, ...]
    default: Value

    def narrowed(self, choices: Sequence[Value]) -> Parameter:
        """Return the parameter with only ``choices`` left.

        Raises:
            UserError: nothing is left, or a choice is none of the parameter's.
        """
        if not choices:
            raise UserError(f"parameter '{self.name}' is narrowed to nothing; valid: {self._listed()}")
        foreign = [choice for choice in choices if choice not in self.choices]
        if foreign:
            raise UserError(f"parameter '{self.name}' has no choice {foreign[0]!r}; valid: {self._listed()}")
        kept = tuple(choice for choice in self.choices if choice in choices)
        return replace(self, choices=kept, default=self.default if self.default in kept else kept[-1])

    def _listed(self) -> str:
        return ", ".join(str(choice) for choice in self.choices)
