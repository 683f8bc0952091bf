"""Owner: the process that measures a trial, and whether it still lives."""

from __future__ import annotations

import os
import socket
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

PROC = Path("/proc")


@dataclass(frozen=True)
class Owner:
    """One process of one machine.

    Attributes:
        place: Machine, boot and process-id namespace: process ids mean the same where it is equal.
        pid: Process id.
        started: When the process started, in the system's ticks; a recycled process id differs in it.
    """

    place: str
    pid: int
    started: str

    @classmethod
    def here(cls) -> Owner:
        """Return this process."""
        return cls(_place(), os.getpid(), _started(os.getpid()) or "")

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Owner:
        """Build the Owner that ``to_dict`` wrote."""
        return cls(**values)

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON."""
        return asdict(self)

    @property
    def near(self) -> bool:
        """Whether the process's id can be looked up from here."""
        return self.place == _place()

    def dead(self) -> bool:
        """Return whether the process is known to be gone; False for one elsewhere, which heartbeats tell."""
        if not self.near:
            return False
        return not _exists(self.pid) or _started(self.pid) != (self.started or None)


def _place() -> str:
    boot, namespace = PROC / "sys/kernel/random/boot_id", PROC / "self/ns/pid"
    booted = boot.read_text().strip() if boot.exists() else ""
    return "/".join((socket.gethostname(), booted, str(namespace.readlink()) if namespace.is_symlink() else ""))


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _started(pid: int) -> str | None:
    """Return the start time of a process; None where it cannot be read or the process is a zombie."""
    try:
        fields = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else fields[19]
