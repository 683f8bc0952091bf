"""DeviceProfile: what an edge device, the cloud and the link between them cost, as a TOML file says it."""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from deploy.digest import digest
from deploy.errors import UserError
from evaluators.device import Device
from evaluators.strict_table import read_table


@dataclass(frozen=True)
class LinkProfile:
    """The link from the edge to the cloud.

    Attributes:
        bandwidth: Bits a second that the edge sends.
        round_trip: Seconds from sending to hearing of it, without the packet's own time; the answer's way included.
        trace: Bits a second in every second of a recording, in the place of ``bandwidth``.
    """

    bandwidth: float
    round_trip: float
    trace: tuple[float, ...] | None = None


@dataclass(frozen=True)
class Power:
    """Watts that the edge draws.

    Attributes:
        compute: While it computes.
        send: While its radio sends.
        wait: While it waits for the answer.
    """

    compute: float
    send: float
    wait: float


@dataclass(frozen=True)
class DeviceProfile:
    """Edge, cloud, link and power."""

    edge: Device
    cloud: Device
    link: LinkProfile
    power: Power

    def identity(self) -> dict[str, str]:
        """Return a digest of each section, so that a change names the section."""
        return {field.name: digest(_said(getattr(self, field.name)))[:12] for field in fields(self)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], source: str) -> DeviceProfile:
        """Build a profile of nested tables, as TOML and JSON hold them.

        Raises:
            UserError: a field is missing, misspelt, of another type or negative.
        """
        profile = read_table(cls, values, source)
        if profile.link.trace is not None and not any(profile.link.trace):
            raise UserError(f"{source}: 'link.trace' never sends anything: it needs a rate above 0")
        return profile


def read_profile(path: Path) -> DeviceProfile:
    """Read a profile from a TOML file; the file that ``link.trace`` names is looked for beside it.

    Raises:
        UserError: the file is missing or no TOML, or a field is missing, misspelt, of another type or negative.
    """
    try:
        values = tomllib.loads(path.read_text())
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}; 'eccsearch profile' writes one") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is no TOML: {error}") from None
    link = values.get("link")
    if isinstance(link, dict) and isinstance(link.get("trace"), str):
        values["link"] = {**link, "trace": read_trace(path.parent / link["trace"])}
    return DeviceProfile.from_dict(values, str(path))


def read_trace(path: Path) -> list[float]:
    """Read a bandwidth trace from CSV: bits a second, one line a second; of several columns the last one.

    Raises:
        UserError: the file is missing, empty, or holds something else than numbers.
    """
    try:
        rows = [row for row in csv.reader(path.read_text().splitlines()) if row]
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"cannot read the trace {path}: {error}") from None
    rates = [_rate(path, number, row[-1]) for number, row in enumerate(rows, start=1)]
    found = [rate for rate in rates if rate is not None]
    if not found:
        raise UserError(f"the trace {path} holds no rates: give bits a second, one line a second")
    return found


def _rate(path: Path, line: int, text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        if line == 1:
            # A heading.
            return None
        raise UserError(f"{path}, line {line}: '{text}' is no number of bits a second") from None


def _said(section: Any) -> dict[str, Any]:
    """Return a section as it was before devices had ``sample``, where that is 0."""
    said = asdict(section)
    if not said.get("sample", 1.0):
        del said["sample"]
    return said
