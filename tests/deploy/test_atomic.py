"""A reader sees the old file or the new one, and what killed writers leave goes away."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from deploy.atomic import STALE_SECONDS, atomic, partial_folder

KILLED = """
import os, signal, sys
from pathlib import Path
from deploy.atomic import atomic, partial_folder
writer = {"file": atomic, "folder": partial_folder}[sys.argv[2]]
with writer(Path(sys.argv[1])) as path:
    (path / "part" if path.is_dir() else path).write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def killed(path: Path, kind: str) -> Path:
    """Kill a writer in the middle and return what it left."""
    subprocess.run([sys.executable, "-c", KILLED, str(path), kind], check=False)
    (left,) = (each for each in path.parent.iterdir() if each != path)
    return left


def test_a_write_that_fails_leaves_the_old_file_alone(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("old")
    with pytest.raises(RuntimeError), atomic(tmp_path / "file") as path:
        path.write_text("new")
        raise RuntimeError
    assert [each.name for each in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_text() == "old"


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_what_a_killed_writer_left_is_swept_by_a_later_one(kind: str, tmp_path: Path) -> None:
    left = killed(tmp_path / "one.txt", kind)
    with atomic(tmp_path / "other.txt") as path:
        path.write_text("new")
    assert left.exists(), "it may still be written to"
    long_ago = time.time() - STALE_SECONDS - 1
    os.utime(left, (long_ago, long_ago))
    with atomic(tmp_path / "other.txt") as path:
        path.write_text("new")
    assert [each.name for each in tmp_path.iterdir()] == ["other.txt"]


def test_nothing_else_is_swept(tmp_path: Path) -> None:
    for name in (".hidden", ".one.txt.abc.txt", "one.partial"):
        (tmp_path / name).write_text("mine")
        os.utime(tmp_path / name, (0, 0))
    with partial_folder(tmp_path / "one.txt"):
        pass
    assert len(list(tmp_path.iterdir())) == 3


def test_a_file_system_that_knows_no_permissions_is_written_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(path: Path, mode: int) -> None:
        raise PermissionError("as on FAT")

    monkeypatch.setattr(Path, "chmod", refused)
    with atomic(tmp_path / "file") as path:
        path.write_text("new")
    assert (tmp_path / "file").read_text() == "new"
