"""Strict tables: what a file says, as a dataclass whose fields it must have, all of them and no others."""

from __future__ import annotations

import math
import types
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from deploy.errors import UserError, unknown

T = TypeVar("T")
ABOVE_ZERO = ("throughput", "bandwidth", "block")
"""Fields that something is divided by."""


def read_table(cls: type[T], values: Any, source: str, at: str = "") -> T:
    """Return the dataclass ``cls`` that ``values`` describe.

    Args:
        cls: Its fields are numbers, lists of numbers or such dataclasses, perhaps optional.
        values: What the file holds.
        source: The file, for the messages.
        at: The dotted place of the values in it.

    Raises:
        UserError: a field is missing, misspelt, of another type, negative or not finite.
    """
    if not isinstance(values, Mapping):
        raise UserError(f"{source}: '{at}' must be a table with {', '.join(_names(cls))}, not {values!r}")
    for name in values:
        if name not in _names(cls):
            raise unknown(f"field in {source}", f"{at}{'.' if at else ''}{name}", _dotted(cls, at))
    kinds = get_type_hints(cls)
    found = {}
    for field in fields(cls):  # type: ignore[arg-type]
        place = f"{at}{'.' if at else ''}{field.name}"
        if field.name in values and values[field.name] is not None:
            found[field.name] = _value(kinds[field.name], values[field.name], source, place)
        elif field.default is MISSING:
            raise UserError(f"{source}: '{place}' is missing; 'eccsearch profile' writes every field")
    return cls(**found)


def _value(kind: Any, value: Any, source: str, place: str) -> Any:
    if get_origin(kind) in (Union, types.UnionType):
        kind = next(each for each in get_args(kind) if each is not type(None))
    if is_dataclass(kind) and isinstance(kind, type):
        return read_table(kind, value, source, place)
    if get_origin(kind) is tuple:
        listed = value if isinstance(value, list | tuple) and value else [None]
        return tuple(_number(each, source, place) for each in listed)
    number = _number(value, source, place)
    if kind is int and number != int(number):
        raise UserError(f"{source}: '{place}' must be a whole number, not {value!r}")
    return kind(number)


def _number(value: Any, source: str, place: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise UserError(f"{source}: '{place}' must be a number, not {value!r}")
    positive = place.rpartition(".")[2] in ABOVE_ZERO
    if value < 0 or (positive and value == 0):
        raise UserError(f"{source}: '{place}' is {value!r}: it must {'be above' if positive else 'not be below'} 0")
    return float(value)


def _names(cls: Any) -> list[str]:
    return [field.name for field in fields(cls)]


def _dotted(cls: Any, at: str) -> list[str]:
    return [f"{at}{'.' if at else ''}{name}" for name in _names(cls)]
