"""The options that accept what has changed since a run began."""

from __future__ import annotations

from typing import Annotated

import typer

AcceptVersionsOption = Annotated[
    bool, typer.Option("--accept-versions", help="Go on although library versions changed.")
]
AcceptThreadsOption = Annotated[
    bool, typer.Option("--accept-threads", help="Go on although the thread count changed.")
]


def accepted(versions: bool, threads: bool) -> frozenset[str]:
    """Return the parts of a run's identity that may have changed."""
    return frozenset(name for name, yes in (("versions", versions), ("threads", threads)) if yes)
