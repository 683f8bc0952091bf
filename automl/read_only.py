"""Reading where nothing can be written: SQLite wants its log beside the database, so it is given a copy."""

from __future__ import annotations

import os
import shutil
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from automl.storage import sqlite_file, storage_url


def readable(where: Path | str) -> Path | str:
    """Return where to read a study that ``where`` holds: there, or in a copy that lasts as long as this process.

    Args:
        where: A run's folder, an SQLite file, or a URL.
    """
    file = sqlite_file(storage_url(where))
    if file is None or not file.exists() or os.access(file.parent, os.W_OK):
        return where
    return Path(_copy(file).name) / file.name


@cache
def _copy(file: Path) -> TemporaryDirectory[str]:
    folder = TemporaryDirectory(prefix="eccsearch-")
    for part in (file, file.with_name(f"{file.name}-wal")):
        if part.exists():
            shutil.copyfile(part, Path(folder.name) / part.name)
    return folder
