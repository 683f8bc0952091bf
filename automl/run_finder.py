"""Run finder: which run the options --root, --name and --storage mean."""

from __future__ import annotations

from pathlib import Path

from automl.run_folder import RunFolder, runs_below
from automl.studies import latest_run
from deploy.errors import UserError, unknown


def find_run(root: Path, name: str | None = None) -> RunFolder:
    """Return the folder of run ``name``, or of the run that was written to last.

    Raises:
        UserError: there is none, with the nearest name where one was given.
    """
    if name is None:
        return latest_run(root)
    folder = RunFolder(root, name)
    if folder.begun:
        return folder
    names = [each.name for each in runs_below(root)]
    if names:
        raise unknown(f"run below {root}", name, names)
    raise UserError(f"no run '{name}' below {root}: start one with 'eccsearch run', or name the folder with --root")


def named_run(root: Path, name: str | None, storage: str | None) -> RunFolder:
    """Return the run that ``--root``, ``--name`` and ``--storage`` name together.

    Raises:
        UserError: no such run, or a storage without a name.
    """
    if storage is None:
        return find_run(root, name)
    if name is None:
        raise UserError("--storage needs --name: a storage may hold many runs")
    return RunFolder(root, name)
