"""Device profiles: the examples are read, what is wrong is one line, and what is written is read back."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from automl.profiling.profile_file import profile_text
from deploy.errors import UserError
from evaluators.device_profile import DeviceProfile, read_profile

EXAMPLES = sorted((Path(__file__).parents[2] / "docs" / "profiles").glob("*.toml"))
PHONE = next(path for path in EXAMPLES if path.stem == "phone-lte")


def changed(tmp_path: Path, old: str, new: str) -> Path:
    text = PHONE.read_text()
    assert old in text
    path = tmp_path / "mine.toml"
    path.write_text(text.replace(old, new, 1))
    return path


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_examples_are_read_and_written_back(path: Path, tmp_path: Path) -> None:
    profile = read_profile(path)
    copy = tmp_path / "copy.toml"
    copy.write_text(profile_text(profile, "A copy.\nOf two lines."))
    assert read_profile(copy) == profile


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("round_trip = ", "roundtrip = ", r"'link.roundtrip'.*did you mean 'link.round_trip'"),
        ("round_trip = ", "# round_trip = ", r"'link.round_trip' is missing"),
        ("bandwidth = ", "bandwidth = -", r"'link.bandwidth' is -.*: it must be above 0"),
        ("run = ", "run = -", r"'edge.run' is -.*: it must not be below 0"),
        ("compute = ", "compute = true # ", r"'power.compute' must be a number, not True"),
        ("[edge.symbols]", "[edge.symbol]", r"'edge.symbol'.*did you mean 'edge.symbols'"),
        ("conv = {", "conv = 3 # {", r"'edge.operators.conv' must be a table with throughput, call, block"),
        ("block = 4", "block = 4.5", r"'edge.operators.conv.block' must be a whole number"),
        ("[link]", "[link]\ntrace = []", r"'link.trace' must be a number"),
        ("[link]", "[link]\ntrace = [0, 0]", r"'link.trace' never sends anything"),
        ("[link]", '[link]\ntrace = "gone.csv"', r"cannot read the trace .*gone\.csv"),
        ("[link]", "[link", r"is no TOML"),
    ],
)
def test_what_is_wrong_is_said_with_the_files_name(tmp_path: Path, old: str, new: str, message: str) -> None:
    with pytest.raises(UserError, match=message) as refusal:
        read_profile(changed(tmp_path, old, new))
    assert str(tmp_path) in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_file_that_is_not_there_says_what_writes_one(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="'eccsearch profile' writes one"):
        read_profile(tmp_path / "gone.toml")


def test_a_trace_is_a_list_or_a_file_beside_the_profile(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text("second,bits\n0,1000000\n1,0\n2,2e6\n")
    beside = read_profile(changed(tmp_path, "[link]", '[link]\ntrace = "train.csv"'))
    listed = read_profile(changed(tmp_path, "[link]", "[link]\ntrace = [1e6, 0, 2e6]"))
    assert beside == listed
    assert beside.link.trace == (1e6, 0.0, 2e6)


@pytest.mark.parametrize(
    ("text", "message"), [("1\nfast\n", "line 2: 'fast'"), ("", "no rates"), ("bits\n", "no rates")]
)
def test_a_trace_that_is_none_is_named(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "train.csv").write_text(text)
    with pytest.raises(UserError, match=message):
        read_profile(changed(tmp_path, "[link]", '[link]\ntrace = "train.csv"'))


def test_identity_names_the_section_that_differs(tmp_path: Path) -> None:
    mine = read_profile(changed(tmp_path, "bandwidth = ", "bandwidth = 1")).identity()
    phone = read_profile(PHONE).identity()
    assert {section for section, digest in mine.items() if digest != phone[section]} == {"link"}


def test_a_profile_that_says_nothing_of_samples_is_the_one_it_was_before_there_were_any(tmp_path: Path) -> None:
    phone = read_profile(PHONE)
    assert phone.edge.sample == 0 and phone.identity()["edge"] == "2f7c87cb1dfd"
    slower = read_profile(changed(tmp_path, "[edge]", "[edge]\nsample = 0.001"))
    assert slower.edge.sample == 0.001 and slower.identity()["edge"] != "2f7c87cb1dfd"


def test_what_python_hands_over_is_checked_alike() -> None:
    values: dict[str, Any] = tomllib.loads(PHONE.read_text())
    assert DeviceProfile.from_dict(values, "mine") == read_profile(PHONE)
    del values["power"]
    with pytest.raises(UserError, match="mine: 'power' is missing"):
        DeviceProfile.from_dict(values, "mine")
