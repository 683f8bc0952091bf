"""Profile file: a DeviceProfile as TOML that people read and change."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any

from evaluators.device_profile import DeviceProfile

HEADING = """\
# Seconds, bits, watts. Throughput: multiply-adds a second, of elementwise operators elements a second.
# Every field is explained in docs/profiles.md.
"""


def profile_text(profile: DeviceProfile, heading: str) -> str:
    """Return a profile as TOML; ``read_profile`` reads it.

    Args:
        profile: What is written.
        heading: Comment lines without their signs.
    """
    comments = [f"# {line}" for line in heading.splitlines()]
    lines = [*comments, *HEADING.splitlines()]
    for section in fields(profile):
        lines += ["", *_section(section.name, getattr(profile, section.name))]
    return "\n".join(lines) + "\n"


def _section(name: str, value: Any) -> list[str]:
    """Return a table: numbers first, then tables of numbers in a line each, then deeper ones as sections."""
    inner = {field.name: getattr(value, field.name) for field in fields(value)}
    here = {key: each for key, each in inner.items() if each is not None and not _deep(each)}
    lines = [f"[{name}]", *(f"{key} = {_text(each)}" for key, each in here.items())] if here else []
    for key, each in inner.items():
        if each is not None and _deep(each):
            lines += ["", *_section(f"{name}.{key}", each)] if lines else _section(f"{name}.{key}", each)
    return lines


def _deep(value: Any) -> bool:
    return is_dataclass(value) and any(is_dataclass(getattr(value, field.name)) for field in fields(value))


def _text(value: Any) -> str:
    if is_dataclass(value):
        inner = (f"{field.name} = {_text(getattr(value, field.name))}" for field in fields(value))
        return f"{{ {', '.join(inner)} }}"
    if isinstance(value, tuple):
        return f"[{', '.join(map(_text, value))}]"
    return str(value) if isinstance(value, int) else f"{float(f'{value:.4g}'):g}"
