"""Cores: how many this process may keep busy."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")
MEMBERSHIP = Path("/proc/self/cgroup")


def available_cores(cgroups: Path = CGROUPS, membership: Path = MEMBERSHIP) -> int:
    """Return how many cores this process may keep busy: by its affinity, and by its container's CPU quota.

    A quota is rounded, at least to 1: a thread too many is stopped in every period, and the others wait for it.

    Args:
        cgroups: Where Linux shows control groups.
        membership: The file that says in which of them this process is.
    """
    bound = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min([bound, *(max(1, round(quota)) for quota in _quotas(cgroups, membership))])


def _quotas(cgroups: Path, membership: Path) -> Iterator[float]:
    """Yield in cores every quota that holds for this process: its own group's and those of the groups around it."""
    for folder in _groups(cgroups, membership):
        files = [folder / "cpu.max"], [folder / "cpu.cfs_quota_us", folder / "cpu.cfs_period_us"]
        for version in files:
            try:
                quota, period = " ".join(file.read_text() for file in version).split()
                if int(quota) > 0:
                    yield int(quota) / int(period)
            except (OSError, ValueError, ZeroDivisionError):
                # Not there, or "max": no quota.
                continue


def _groups(cgroups: Path, membership: Path) -> Iterator[Path]:
    try:
        lines = membership.read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers and "cpu" not in controllers.split(","):
            continue
        # Inside a container the path may be the host's, of which only the end, or nothing, is there.
        inside = cgroups / ("cpu" if controllers else "") / path.lstrip("/")
        yield from (folder for folder in (inside, *inside.parents) if folder.is_relative_to(cgroups))
