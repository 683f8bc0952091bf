"""Values on the command line and in TOML files: parameters, choices, durations."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from automl.flat import flattened
from deploy.errors import UserError
from search_spaces.config import Value

_UNITS = {"s": 1, "m": 60, "h": 3600}


def parse_fix(text: str) -> tuple[str, tuple[Value, ...]]:
    """Parse ``bits=4``, ``bits=2,3,4`` or ``bits=2..6``.

    Raises:
        UserError: the text is of none of these forms.
    """
    name, equals, listed = text.partition("=")
    if not equals or not name.strip() or not listed.strip():
        raise UserError(f"--fix '{text}' is not of the form NAME=VALUE, NAME=VALUE,VALUE or NAME=LOW..HIGH")
    span = re.fullmatch(r"\s*(\d+)\s*\.\.\s*(\d+)\s*", listed)
    if span:
        return name.strip(), tuple(range(int(span[1]), int(span[2]) + 1))
    return name.strip(), tuple(_value(part.strip()) for part in listed.split(","))


def _value(text: str) -> Value:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def read_space(path: Path) -> dict[str, tuple[Value, ...]]:
    """Read the choices that a TOML file leaves: ``bits = [2, 4]``, ``split = 3``, ``edge_modules.stage1 = 2``.

    Raises:
        UserError: the file is missing, is no TOML, or holds something else than values and lists of values.
    """
    choices = {}
    for name, value in flattened(_toml(path)).items():
        listed = value if isinstance(value, list) else [value]
        choices[name] = tuple(_checked(path, name, each) for each in listed)
    return choices


def read_config(path: Path) -> dict[str, Value]:
    """Read a configuration of one's own from TOML; parameters that are left out take their defaults.

    Raises:
        UserError: the file is missing, is no TOML, or holds something else than values.
    """
    return {name: _checked(path, name, value) for name, value in flattened(_toml(path)).items()}


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text())
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}; give the path of a TOML file") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is no TOML: {error}") from None


def _checked(path: Path, name: str, value: Any) -> Value:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise UserError(f"{path}: '{name}' must be a number or a text, not {value!r}")
    return value


def parse_seconds(text: str | None) -> float | None:
    """Parse ``90``, ``90s``, ``15m`` or ``2h`` to seconds.

    Raises:
        UserError: the text is no duration.
    """
    if text is None:
        return None
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([smh]?)\s*", text)
    if not match:
        raise UserError(f"--timeout '{text}' is no duration: give seconds, or e.g. 90s, 15m, 2h")
    return float(match[1]) * _UNITS[match[2] or "s"]


def merged(files: Sequence[Path], fixes: Sequence[str]) -> dict[str, tuple[Value, ...]]:
    """Return the choices that the space files and then the ``--fix`` options leave; the later wins.

    Raises:
        UserError: a file or an option says nothing, or two options say the same parameter.
    """
    choices: dict[str, tuple[Value, ...]] = {}
    for path in files:
        choices.update(read_space(path))
    fixed = [parse_fix(text) for text in fixes]
    for name, count in Counter(name for name, _ in fixed).items():
        if count > 1:
            raise UserError(f"--fix {name} is given {count} times: list its values in one, {name}=VALUE,VALUE")
    return {**choices, **dict(fixed)}
