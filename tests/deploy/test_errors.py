"""What a user is told of an error is one line, whatever it says itself."""

from __future__ import annotations

import pytest

from deploy.errors import first_line


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ValueError("one\ntwo"), "one"),
        (EOFError(), "EOFError"),
        (AssertionError("\nbelow an empty line"), "AssertionError"),
    ],
)
def test_the_first_line_or_the_kind(error: Exception, line: str) -> None:
    assert first_line(error) == line
