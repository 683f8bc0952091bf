"""Run reader: a run's facts and trials from its storage alone, without data, model or task."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import optuna

from automl.run_folder import RunFolder
from automl.storage import database_errors, open_storage, sqlite_file, storage_url
from automl.studies import latest_study
from automl.study import IDENTITY, Study
from deploy.errors import UserError, unknown
from results.record import RunInfo, TrialRecord
from search_spaces.layout import Layout
from search_spaces.objective import Constraint, Objective
from search_spaces.space import Parameter, SearchSpace

RUN_INFO = "run_info"
LAYOUT = "layout"


def note_run(where: Path | str, name: str, info: RunInfo, layout: Layout) -> None:
    """Write into an existing study what reading it later needs: the run's facts and its chain's layout.

    Args:
        where: What ``Study.open`` was given: a run's folder, an SQLite file, or a URL.
        name: The study's name.
        info: The run's facts.
        layout: The layout of the space that is searched.

    Raises:
        UserError: there is no such study, or its storage cannot be used.
    """
    study = _load(where, name)
    for key, value in ((RUN_INFO, _plain(info)), (LAYOUT, _plain(layout))):
        if study.user_attrs.get(key) != value:
            study.set_user_attr(key, value)


def find_run(root: Path, name: str | None = None) -> RunFolder:
    """Return the folder of run ``name``, or of the run that was written to last.

    Raises:
        UserError: there is none, with the nearest name where one was given.
    """
    if name is None:
        return RunFolder(root, latest_study(root).path.name)
    folder = RunFolder(root, name)
    if not folder.database.exists():
        names = [path.parent.name for path in root.glob("*/study.db")]
        if not names:
            raise UserError(
                f"no run '{name}' below {root}: start one with 'eccsearch run', or name the folder with --root"
            )
        raise unknown(f"run below {root}", name, names)
    return folder


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


def read_run(folder: RunFolder, storage: str | None = None) -> tuple[RunInfo, list[TrialRecord]]:
    """Return a run's facts and every measured trial by number; nothing is written.

    Args:
        folder: The run.
        storage: The storage's URL where it is not the folder's own database.

    Raises:
        UserError: the storage cannot be used, has no such study, or its search has not begun.
    """
    where = storage or folder.path
    attrs = _load(where, folder.name).user_attrs
    if RUN_INFO not in attrs or LAYOUT not in attrs or IDENTITY not in attrs:
        raise UserError(f"run '{folder.name}' has no trials yet: its search has not begun")
    return _run_info(attrs[RUN_INFO]), _study(where, folder.name, attrs).records()


def read_constraints(folder: RunFolder, storage: str | None = None) -> list[Constraint]:
    """Return the constraints that a run was started with."""
    attrs = _load(storage or folder.path, folder.name).user_attrs
    return [Constraint.parse(text) for text in attrs.get(IDENTITY, {}).get("constraints", [])]


def _load(where: Path | str, name: str) -> optuna.Study:
    url = storage_url(where)
    file = sqlite_file(url)
    if file is not None and not file.exists():
        raise UserError(f"{file} does not exist: start the run with 'eccsearch run'")
    storage = open_storage(where)
    with database_errors(url):
        names = optuna.get_all_study_names(storage)
        if name not in names:
            raise (
                unknown("study", name, names) if names else UserError(f"no study '{name}' in {where}: it is empty")
            )
        return optuna.load_study(study_name=name, storage=storage)


def _study(where: Path | str, name: str, attrs: Mapping[str, Any]) -> Study:
    # What the study was made with is handed back to it, so it agrees with itself and nothing is compared anew.
    made_with = attrs[IDENTITY]
    return Study.open(
        where,
        name,
        _space(made_with["space"], attrs[LAYOUT]),
        [Objective.named(objective) for objective in made_with["objectives"]],
        [Constraint.parse(text) for text in made_with["constraints"]],
        sampler=made_with["sampler"],
        seed=made_with["seed"],
        identity=made_with,
    )


def _space(choices: Mapping[str, list[Any]], layout: Mapping[str, Any]) -> SearchSpace:
    # Reading draws nothing, so which choice is the default is of no matter.
    parameters = tuple(Parameter(name, tuple(values), values[-1]) for name, values in choices.items())
    made = Layout(tuple(layout["stages"]), tuple(layout["skippable"]), layout["modules"])
    return SearchSpace(parameters, made)


def _run_info(values: Mapping[str, Any]) -> RunInfo:
    return RunInfo(**{**values, "objectives": tuple(values["objectives"])})


def _plain(value: RunInfo | Layout) -> dict[str, Any]:
    """Return the fields as JSON gives them back, so that equal values compare equal."""
    return {name: list(field) if isinstance(field, tuple) else field for name, field in asdict(value).items()}
