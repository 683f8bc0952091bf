"""Atomic writes: a reader sees the old file or the new one, never half of one."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PARTIAL = ".eccsearch-partial."
"""Begins the name of whatever is being written; nothing else in a folder is called so."""
STALE_SECONDS = 900
"""A partial file that nobody has written to for so long was left by a process that was killed."""


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path`` that replaces it when the block ends without an error."""
    path.parent.mkdir(parents=True, exist_ok=True)
    sweep(path.parent)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f"{PARTIAL}{path.name}.", suffix=path.suffix)
    os.close(handle)
    temporary = Path(name)
    _permit(temporary, 0o666)
    try:
        yield temporary
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def partial_folder(path: Path) -> Iterator[Path]:
    """Yield a temporary folder beside ``path``; what is left of it when the block ends is removed."""
    sweep(path.parent)
    folder = Path(tempfile.mkdtemp(dir=path.parent, prefix=f"{PARTIAL}{path.name}."))
    _permit(folder, 0o777)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def sweep(folder: Path) -> None:
    """Remove what writers that were killed have left in a folder."""
    stale = time.time() - STALE_SECONDS
    for left in folder.glob(f"{PARTIAL}*"):
        # Another process may be quicker, and what cannot be removed does no harm.
        with suppress(OSError):
            if left.stat().st_mtime >= stale:
                continue
            shutil.rmtree(left) if left.is_dir() else left.unlink()


def _permit(path: Path, mode: int) -> None:
    # A file system such as FAT knows no such permissions and refuses to set them.
    with suppress(PermissionError):
        path.chmod(mode & ~_umask())


def _umask() -> int:
    """Return the process's umask; it can only be read by setting it."""
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
