"""``eccsearch run``: search, refine, write the Pareto set."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from automl.cli.accepting import AcceptThreadsOption, AcceptVersionsOption, accepted
from automl.cli.choosing import RootOption
from automl.run_folder import DEFAULT_ROOT
from automl.settings import Effort
from deploy.errors import UserError

_ADVANCED = "Training effort"
_EFFORT = Effort()


def run(
    task: Annotated[str, typer.Option(help="The task; 'eccsearch tasks' lists them.")] = "detection",
    budget: Annotated[int, typer.Option(help="Measured trials in total; the plain answers come on top.")] = 200,
    name: Annotated[str | None, typer.Option(help="The run's name; the task's unless given.")] = None,
    root: RootOption = DEFAULT_ROOT,
    sampler: Annotated[str, typer.Option(help="nsga2, pymoo-nsga2, tpe, gp or random.")] = "nsga2",
    seed: Annotated[int, typer.Option(help="Seeds the search.")] = 0,
    objective: Annotated[
        list[str] | None,
        typer.Option(help="An objective, repeatable; quality, edge_flops and bytes unless given."),
    ] = None,
    constraint: Annotated[
        list[str] | None, typer.Option(help='A bound such as "bytes<=2000", repeatable.', metavar="BOUND")
    ] = None,
    fix: Annotated[
        list[str] | None, typer.Option(help="Fix or narrow a parameter: bits=4, bits=2,4 or bits=2..6; repeatable.")
    ] = None,
    space: Annotated[
        list[Path] | None, typer.Option(help="A TOML file that narrows parameters; repeatable.", metavar="FILE")
    ] = None,
    try_: Annotated[
        list[Path] | None,
        typer.Option("--try", help="A TOML configuration of your own, tried first; repeatable.", metavar="FILE"),
    ] = None,
    timeout: Annotated[str | None, typer.Option(help="Begin no trial after this: 90s, 15m, 2h.")] = None,
    workers: Annotated[int, typer.Option(help="Processes that search.")] = 1,
    threads: Annotated[int | None, typer.Option(help="Threads of each worker; the cores shared out.")] = None,
    storage: Annotated[str | None, typer.Option(help="Another Optuna storage URL than the run's SQLite.")] = None,
    new: Annotated[bool, typer.Option("--new", help="Start afresh beside a run of this name.")] = False,
    accept_versions: AcceptVersionsOption = False,
    accept_threads: AcceptThreadsOption = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing but the end.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False,
    cloud_steps: Annotated[
        int | None, typer.Option(min=1, help="Steps of the cloud model.", rich_help_panel=_ADVANCED)
    ] = None,
    teach_steps: Annotated[
        int, typer.Option(min=1, help="Steps of the supernet.", rich_help_panel=_ADVANCED)
    ] = _EFFORT.teach_steps,
    trial_steps: Annotated[
        int, typer.Option(min=0, help="Steps of a trial.", rich_help_panel=_ADVANCED)
    ] = _EFFORT.trial_steps,
    refine_steps: Annotated[
        int, typer.Option(min=0, help="Steps of a finalist.", rich_help_panel=_ADVANCED)
    ] = _EFFORT.refine_steps,
    finalists: Annotated[
        int, typer.Option(min=0, help="Split members to refine and test; 0 for none.", rich_help_panel=_ADVANCED)
    ] = _EFFORT.finalists,
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
