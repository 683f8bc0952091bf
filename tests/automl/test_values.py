"""Values on the command line and in TOML files."""

from __future__ import annotations

from pathlib import Path

import pytest

from automl.cli.values import merged, parse_fix, parse_seconds, read_config, read_space
from deploy.errors import UserError


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        ("bits=4", ("bits", (4,))),
        ("bits=2, 4", ("bits", (2, 4))),
        ("bits=2..5", ("bits", (2, 3, 4, 5))),
        ("rate=0.5,1.0", ("rate", (0.5, 1.0))),
        ("image_format=webp", ("image_format", ("webp",))),
    ],
)
def test_a_parameter_is_fixed_listed_or_spanned(text: str, parsed: object) -> None:
    assert parse_fix(text) == parsed


@pytest.mark.parametrize("text", ["bits", "=4", "bits="])
def test_another_form_is_refused(text: str) -> None:
    with pytest.raises(UserError, match=r"not of the form NAME=VALUE"):
        parse_fix(text)


@pytest.mark.parametrize(("text", "seconds"), [("90", 90), ("90s", 90), ("15m", 900), ("0.5h", 1800), (None, None)])
def test_durations(text: str | None, seconds: float | None) -> None:
    assert parse_seconds(text) == seconds


def test_no_duration_is_refused() -> None:
    with pytest.raises(UserError, match=r"give seconds, or e\.g\. 90s"):
        parse_seconds("soon")


def test_a_space_file_narrows_and_the_command_line_wins(tmp_path: Path) -> None:
    path = tmp_path / "space.toml"
    path.write_text("bits = [2, 4]\nsplit = 3\n[edge_modules]\nstage1 = [1, 2]\n")
    assert read_space(path) == {"bits": (2, 4), "split": (3,), "edge_modules.stage1": (1, 2)}
    assert merged([path], ["bits=8"])["bits"] == (8,)


@pytest.mark.parametrize(
    ("content", "message"),
    [("bits = ", "is no TOML"), ("bits = true", "'bits' must be a number or a text"), ("bits = [[1]]", "must be")],
)
def test_a_bad_file_is_named(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "space.toml"
    path.write_text(content)
    with pytest.raises(UserError, match=message):
        read_space(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"cannot read .*absent.toml"):
        read_config(tmp_path / "absent.toml")


def test_a_parameter_that_is_fixed_twice_is_named() -> None:
    with pytest.raises(UserError, match="--fix bits is given 2 times: list its values in one"):
        merged([], ["bits=2", "split=3", "bits=4"])
