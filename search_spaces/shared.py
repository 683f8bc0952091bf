"""Shared: what a module refers to and does not own: neither trained, kept nor copied with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

Held = TypeVar("Held")


@dataclass(frozen=True)
class Shared(Generic[Held]):
    """Holds an object for a module, hidden from it, so that a held module is no child of its holder."""

    held: Held

    def __deepcopy__(self, memo: dict[int, Any]) -> Shared[Held]:
        return self
