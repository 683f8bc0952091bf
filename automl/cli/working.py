"""A sign of life in a terminal while a command works without anything to say."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def working(words: str) -> Iterator[None]:
    """Show words beside a spinner until the block ends; what is no terminal gets neither."""
    from rich.console import Console

    with Console(stderr=True).status(words):
        yield
