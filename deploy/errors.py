"""The one exception for what the user can mend."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class UserError(Exception):
    """Bad input: one line that says what, where and how to mend it; the CLI prints it and exits with 2."""


def first_line(error: BaseException) -> str:
    """Return the first line of what an error says, or its kind where it says nothing."""
    return next(iter(str(error).splitlines()), "") or type(error).__name__


def unknown(kind: str, name: str, valid: Iterable[str]) -> UserError:
    """Build the error for a name that is not valid, naming the nearest one that is.

    Args:
        kind: What was looked up, e.g. ``"task"``.
        name: What the user wrote.
        valid: Every name that would have done.
    """
    names = sorted(valid)
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.4)
    hint = f"did you mean '{near[0]}'? " if near else ""
    return UserError(f"unknown {kind} '{name}': {hint}valid: {', '.join(names)}")
