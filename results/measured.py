"""Measured: whatever has figures on validation, so that trials and rivals stand on the same axes."""

from __future__ import annotations

from typing import Protocol


class Values(Protocol):
    """Measures by name."""

    def __getitem__(self, name: str) -> float: ...


class Measured(Protocol):
    """Something that was measured on validation."""

    @property
    def validation(self) -> Values:
        """What it measured."""
        ...
