"""Studies: an overview of all runs below a root."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

import optuna
from optuna.trial import FrozenTrial, TrialState

from automl import record
from automl.owner import Owner
from automl.record import kind_of
from automl.run_folder import RunFolder, runs_below
from automl.settings import study_place
from automl.storage import load_study
from automl.study import BUDGET, IDENTITY
from deploy.errors import UserError

State = Literal["complete", "interrupted", "running", "unreadable"]


@dataclass(frozen=True)
class StudySummary:
    """One run at a glance.

    Attributes:
        name: The run's name.
        path: The run's folder.
        state: Whether the budget is reached; if not, whether a process measures a trial just now.
        task: The task's name, as the study's identity has it.
        sampler: The sampler's name.
        done: Search trials that are finished.
        budget: Search trials in total that were last asked for; 0 before the first.
        front: Members of the front, anchors included.
        changed: When the last trial ended, or the study's file was last written.
        note: Why it cannot be read, where it cannot.
    """

    name: str
    path: Path
    state: State
    task: str = ""
    sampler: str = ""
    done: int = 0
    budget: int = 0
    front: int = 0
    changed: datetime | None = None
    note: str = ""


def list_studies(root: Path) -> list[StudySummary]:
    """Return every run below ``root``, the one changed last first; nothing is written."""
    found = [_summary(folder) for folder in runs_below(root)]
    return sorted(found, key=lambda each: each.changed or datetime.min, reverse=True)


def latest_study(root: Path) -> StudySummary:
    """Return the readable run that changed last.

    Raises:
        UserError: there is none.
    """
    readable = [each for each in list_studies(root) if each.state != "unreadable"]
    if not readable:
        raise UserError(f"no run below {root}: start one with 'eccsearch run', or name the folder with --root")
    return readable[0]


def _summary(folder: RunFolder) -> StudySummary:
    files = (file for file in (folder.database, folder.settings) if file.exists())
    changed = datetime.fromtimestamp(max(file.stat().st_mtime for file in files))
    try:
        return _read(folder, load_study(study_place(folder), folder.name), changed)
    except UserError as error:
        return StudySummary(folder.name, folder.path, "unreadable", changed=changed, note=str(error))


def _read(folder: RunFolder, study: optuna.Study, changed: datetime) -> StudySummary:
    attrs, trials = study.user_attrs, study.get_trials(deepcopy=False)
    identity = attrs.get(IDENTITY, {})
    done = sum(trial.state == TrialState.COMPLETE and kind_of(trial) == "search" for trial in trials)
    budget = int(attrs.get(BUDGET, 0))
    return StudySummary(
        name=folder.name,
        path=folder.path,
        state="complete" if budget and done >= budget else "running" if _running(trials) else "interrupted",
        task=str(identity.get("task", "")),
        sampler=str(identity.get("sampler", "")),
        done=done,
        budget=budget,
        front=len(study.best_trials),
        changed=max((t.datetime_complete for t in trials if t.datetime_complete), default=changed),
    )


def _running(trials: list[FrozenTrial]) -> bool:
    owners = [trial.user_attrs.get(record.OWNER) for trial in trials if trial.state == TrialState.RUNNING]
    return any(owner is not None and not Owner.from_dict(owner).dead() for owner in owners)
