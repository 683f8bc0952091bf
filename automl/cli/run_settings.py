"""From the options of ``eccsearch run`` as they were typed to the settings of a run."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from automl.cli.values import merged, parse_seconds, read_config
from automl.settings import Effort, Own, RunSettings
from automl.storage import absolute_url
from deploy.cores import available_cores
from deploy.errors import UserError
from evaluators.device_profile import read_profile
from search_spaces.objective import DEFAULT_OBJECTIVES

AS_TYPED = ("root", "budget", "sampler", "seed", "device")
OF_DATA = ("form", "image_size", "model", "weights")
DEFAULT_TASK = "detection"
STEP = 8
"""What an image's side is a multiple of: the built-in models halve it three times."""
MOST_WORKERS = 4
"""Each holds the models and the data once more, and a generation keeps only so many busy."""
EFFORT = ("cloud_steps", "teach_steps", "trial_steps", "refine_steps", "finalists")


def run_settings(typed: Mapping[str, Any]) -> RunSettings:
    """Return a run's settings.

    Args:
        typed: The command's parameters by name.

    Raises:
        UserError: a number, a name, a parameter or a file that is none.
    """
    _check_counts(typed["budget"], typed["workers"], typed["threads"])
    task = typed["task"] or ("" if typed["data"] else DEFAULT_TASK)
    name = _checked_name(typed["name"] or _named_after(typed["data"]) or task)
    workers = typed["workers"] or max(1, min(available_cores() // (typed["threads"] or 1), MOST_WORKERS))
    return RunSettings(
        **{key: typed[key] for key in AS_TYPED},
        task=task,
        own=_own(typed),
        name=_free_name(typed["root"], name) if typed["new"] else name,
        objectives=tuple(typed["objective"] or DEFAULT_OBJECTIVES),
        constraints=tuple(typed["constraint"] or ()),
        narrowed=merged(typed["space"] or [], typed["fix"] or []),
        first=tuple(read_config(path) for path in typed["try_"] or []),
        timeout=parse_seconds(typed["timeout"]),
        workers=workers,
        threads=typed["threads"] or max(1, available_cores() // workers),
        storage=absolute_url(typed["storage"]) if typed["storage"] else None,
        profile=None if typed["profile"] is None else read_profile(typed["profile"]),
        effort=Effort(**{key: typed[key] for key in EFFORT}),
    )


def _check_counts(budget: int, workers: int | None, threads: int | None) -> None:
    if budget < 1:
        raise UserError(f"--budget {budget}: at least 1 trial is needed")
    if any(count is not None and count < 1 for count in (workers, threads)):
        raise UserError("--workers and --threads must be at least 1")


def _own(typed: Mapping[str, Any]) -> Own | None:
    said = {key: typed[key] for key in OF_DATA if typed[key] is not None}
    if typed["data"] is None:
        if said:
            raise UserError("--format, --image-size, --model and --weights go with a data set: give it with --data")
        return None
    if (typed["image_size"] or 0) % STEP:
        raise UserError(f"--image-size {typed['image_size']}: it must be a multiple of {STEP}")
    weights = typed["weights"]
    # A name of torchvision's stays as it is; a file that is not there is named where it was looked for.
    if weights and Path(weights).exists():
        said["weights"] = str(Path(weights).absolute())
    return Own(**{**said, "data": typed["data"].absolute()})


def _named_after(path: Path | None) -> str:
    """Return a run's name that comes close to a data set's."""
    return "" if path is None else re.sub(r"[^A-Za-z0-9]+", "-", path.absolute().stem).strip("-") or "data"


def _checked_name(name: str) -> str:
    """Return a run's name that every file system and database takes."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", name) or name == "cache":
        raise UserError(f"--name '{name}': use letters, digits, '-' and '_', and not 'cache'")
    return name


def _free_name(root: Path, name: str) -> str:
    taken = {path.name for path in root.glob("*")} if root.exists() else set()
    if name not in taken:
        return name
    return next(f"{name}-{i}" for i in range(2, len(taken) + 3) if f"{name}-{i}" not in taken)
