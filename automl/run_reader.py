"""Run reader: a run's facts and trials from its storage alone, without data, model or task."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from automl.read_only import readable
from automl.run_folder import RunFolder
from automl.settings import study_place
from automl.storage import load_study
from automl.study import IDENTITY, Study
from deploy.errors import UserError
from results.record import RunInfo, TrialRecord
from search_spaces.layout import Layout
from search_spaces.objective import Constraint, Objective
from search_spaces.parameter import Parameter
from search_spaces.space import SearchSpace

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
    study = load_study(where, name)
    for key, value in ((RUN_INFO, _plain(info)), (LAYOUT, _plain(layout))):
        if study.user_attrs.get(key) != value:
            study.set_user_attr(key, value)


def read_run(folder: RunFolder, storage: str | None = None) -> tuple[RunInfo, list[TrialRecord]]:
    """Return a run's facts and every measured trial by number; nothing is written.

    Args:
        folder: The run.
        storage: The storage's URL; the one that the run's settings name unless given.

    Raises:
        UserError: the storage cannot be used, has no such study, or its search has not begun.
    """
    where = readable(study_place(folder, storage))
    attrs = load_study(where, folder.name).user_attrs
    if RUN_INFO not in attrs or LAYOUT not in attrs or IDENTITY not in attrs:
        raise UserError(f"run '{folder.name}' has no trials yet: its search has not begun")
    return _run_info(attrs[RUN_INFO]), _study(where, folder.name, attrs).records()


def read_identity(folder: RunFolder, storage: str | None = None) -> dict[str, Any]:
    """Return what a run was made with; empty where its search has not begun."""
    attrs = load_study(readable(study_place(folder, storage)), folder.name).user_attrs
    return dict(attrs.get(IDENTITY, {}))


def read_constraints(folder: RunFolder, storage: str | None = None) -> list[Constraint]:
    """Return the constraints that a run was started with."""
    return [Constraint.parse(text) for text in read_identity(folder, storage).get("constraints", [])]


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
    # An older run's edge answered nothing or all, and saw the whole image.
    later = (tuple(layout.get(name, ())) for name in ("exits", "sides"))
    made = Layout(tuple(layout["stages"]), tuple(layout["skippable"]), layout["modules"], *later)
    return SearchSpace(parameters, made)


def _run_info(values: Mapping[str, Any]) -> RunInfo:
    return RunInfo(**{**values, "objectives": tuple(values["objectives"])})


def _plain(value: RunInfo | Layout) -> dict[str, Any]:
    """Return the fields as JSON gives them back, so that equal values compare equal."""
    return {name: list(field) if isinstance(field, tuple) else field for name, field in asdict(value).items()}
