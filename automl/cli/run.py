"""``eccsearch run``: search, refine, write the Pareto set."""

from __future__ import annotations

import re
from pathlib import Path

from automl.cli import run_options as options
from automl.cli.accepting import AcceptThreadsOption, AcceptVersionsOption, accepted
from automl.cli.choosing import RootOption
from automl.run_folder import DEFAULT_ROOT
from automl.settings import Effort
from deploy.errors import UserError

EFFORT = Effort()


def run(
    task: options.TaskOption = "detection",
    budget: options.BudgetOption = 200,
    name: options.NameOption = None,
    root: RootOption = DEFAULT_ROOT,
    sampler: options.SamplerOption = "nsga2",
    seed: options.SeedOption = 0,
    objective: options.ObjectiveOption = None,
    constraint: options.ConstraintOption = None,
    fix: options.FixOption = None,
    space: options.SpaceOption = None,
    try_: options.TryOption = None,
    timeout: options.TimeoutOption = None,
    workers: options.WorkersOption = 1,
    threads: options.ThreadsOption = None,
    storage: options.StorageOption = None,
    new: options.NewOption = False,
    accept_versions: AcceptVersionsOption = False,
    accept_threads: AcceptThreadsOption = False,
    quiet: options.QuietOption = False,
    json: options.JsonOption = False,
    cloud_steps: options.CloudStepsOption = None,
    teach_steps: options.TeachStepsOption = EFFORT.teach_steps,
    trial_steps: options.TrialStepsOption = EFFORT.trial_steps,
    refine_steps: options.RefineStepsOption = EFFORT.refine_steps,
    finalists: options.FinalistsOption = EFFORT.finalists,
) -> None:
    """Search how to share a model between edge and cloud; the same command continues a run.

    Examples:
      eccsearch run --budget 200 --task detection

      eccsearch run --task classification --fix bits=2..4 --constraint "bytes<=200"

      eccsearch run --name small --objective quality --objective bytes --workers 2 --timeout 15m
    """
    from automl.cli.searching import search
    from automl.cli.values import merged, parse_seconds, read_config
    from automl.settings import RunSettings
    from automl.storage import absolute_url
    from deploy.cores import available_cores
    from search_spaces.objective import DEFAULT_OBJECTIVES

    if budget < 1:
        raise UserError(f"--budget {budget}: at least 1 trial is needed")
    if workers < 1 or (threads is not None and threads < 1):
        raise UserError("--workers and --threads must be at least 1")
    settings = RunSettings(
        task=task,
        name=_free_name(root, checked_name(name or task)) if new else checked_name(name or task),
        root=root,
        budget=budget,
        sampler=sampler,
        seed=seed,
        objectives=tuple(objective or DEFAULT_OBJECTIVES),
        constraints=tuple(constraint or ()),
        narrowed=merged(space or [], fix or []),
        first=tuple(read_config(path) for path in try_ or []),
        timeout=parse_seconds(timeout),
        workers=workers,
        threads=threads or max(1, available_cores() // workers),
        storage=absolute_url(storage) if storage else None,
        effort=Effort(cloud_steps, teach_steps, trial_steps, refine_steps, finalists),
    )
    search(settings, quiet, json, accepted(accept_versions, accept_threads))


def checked_name(name: str) -> str:
    """Return a run's name that every file system and database takes.

    Raises:
        UserError: another name.
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", name) or name == "cache":
        raise UserError(f"--name '{name}': use letters, digits, '-' and '_', and not 'cache'")
    return name


def _free_name(root: Path, name: str) -> str:
    taken = {path.name for path in root.glob("*")} if root.exists() else set()
    if name not in taken:
        return name
    return next(f"{name}-{i}" for i in range(2, len(taken) + 3) if f"{name}-{i}" not in taken)
