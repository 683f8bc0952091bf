"""Cores are what affinity and every enclosing group's quota leave."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from deploy.cores import available_cores

HERE = len(os.sched_getaffinity(0))


def cores(folder: Path, membership: str, files: dict[str, str]) -> int:
    """Count with control groups of these files."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    (folder / "membership").write_text(membership)
    return available_cores(folder, folder / "membership")


@pytest.mark.parametrize(
    ("membership", "files"),
    [
        ("0::/\n", {"cpu.max": "100000 100000\n"}),
        ("0::/\n", {"cpu.max": "20000 100000\n"}),
        ("0::/user/job\n", {"user/job/cpu.max": "max 100000\n", "user/cpu.max": "100000 100000\n"}),
        ("0::/of/the/host\n", {"cpu.max": "120000 100000\n"}),
        ("3:cpu,cpuacct:/\n", {"cpu/cpu.cfs_quota_us": "50000\n", "cpu/cpu.cfs_period_us": "50000\n"}),
        ("1:cpu:/docker/a\n0::/\n", {"cpu/cpu.cfs_quota_us": "100000\n", "cpu/cpu.cfs_period_us": "100000\n"}),
    ],
    ids=["v2", "v2 below one", "v2 of a parent", "v2 path of the host", "v1", "v1 path of the host"],
)
def test_a_quota_of_a_core_or_less_leaves_one(membership: str, files: dict[str, str], tmp_path: Path) -> None:
    assert cores(tmp_path, membership, files) == 1


@pytest.mark.parametrize(
    ("membership", "files"),
    [
        ("", {}),
        ("0::/\n", {"cpu.max": "max 100000\n"}),
        ("0::/\n", {"cpu.max": "nonsense"}),
        ("0::/\n", {"cpu.max": f"{(HERE + 3) * 100000} 100000\n"}),
        ("3:cpu:/\n", {"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}),
        ("4:memory:/\n", {"memory/cpu.max": "100000 100000\n"}),
    ],
    ids=["no groups", "v2 without", "unreadable", "more than there are", "v1 without", "of no CPU controller"],
)
def test_without_a_smaller_quota_affinity_counts(membership: str, files: dict[str, str], tmp_path: Path) -> None:
    assert cores(tmp_path, membership, files) == HERE


def test_where_there_are_no_control_groups_affinity_counts(tmp_path: Path) -> None:
    assert available_cores(tmp_path / "none", tmp_path / "none") == HERE
