"""Nested tables as one level of dotted names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def flattened(table: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return the table's leaves by dotted name: ``{"a": {"b": 1}}`` becomes ``{"a.b": 1}``."""
    flat: dict[str, Any] = {}
    for name, value in table.items():
        if isinstance(value, Mapping):
            flat.update(flattened(value, f"{prefix}{name}."))
        else:
            flat[f"{prefix}{name}"] = value
    return flat
