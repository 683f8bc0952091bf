"""Studies: an overview of all runs below a root."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

import optuna
from optuna.trial import FrozenTrial, TrialState

from automl import record
from automl.last_process import LastProcess
from automl.owner import Owner
from automl.read_only import readable
from automl.record import kind_of
from automl.run_folder import RunFolder, runs_below
from automl.run_reader import LAYOUT, RUN_INFO, read_run
from automl.search import Reason
from automl.settings import study_place
from automl.storage import load_study
from automl.study import BUDGET, IDENTITY, LAST_PROCESS
from deploy.errors import UserError
from results.pareto import pareto_set

State = Literal["finished", "timed out", "space exhausted", "interrupted", "running", "unreadable"]
ENDS: dict[Reason, State] = {
    "budget": "finished",
    "timeout": "timed out",
    "exhausted": "space exhausted",
    "interrupted": "interrupted",
}


@dataclass(frozen=True)
class StudySummary:
    """One run at a glance.

    Attributes:
        name: The run's name.
        path: The run's folder.
        state: Whether a process works on it just now; if not, how the last one ended.
        changed: When the last trial ended, or the run's files were last written.
        task: The task's name, as the study's identity has it.
        sampler: The sampler's name.
        done: Search trials that are finished.
        budget: Search trials in total that were last asked for; 0 before the first.
        front: Members of the front, anchors included.
        note: Why it cannot be read, where it cannot.
    """

    name: str
    path: Path
    state: State
    changed: datetime
    task: str = ""
    sampler: str = ""
    done: int = 0
    budget: int = 0
    front: int = 0
    note: str = ""


def list_studies(root: Path) -> list[StudySummary]:
    """Return every run below ``root``, the one changed last first; nothing is written."""
    found = [_summary(folder) for folder in runs_below(root)]
    return sorted(found, key=lambda each: each.changed, reverse=True)


def latest_run(root: Path) -> RunFolder:
    """Return the readable run that changed last.

    Raises:
        UserError: there is none.
    """
    found, unreadable = {}, []
    for folder in runs_below(root):
        try:
            found[folder] = _changed(folder, _study(folder))
        except UserError as error:
            unreadable.append(error)
    if not found:
        why = f" that can be read ({unreadable[0]})" if unreadable else ""
        raise UserError(f"no run{why} below {root}: start one with 'eccsearch run', or name the folder with --root")
    return max(found, key=lambda folder: found[folder])


def _summary(folder: RunFolder) -> StudySummary:
    try:
        study = _study(folder)
        attrs, identity = study.user_attrs, study.user_attrs.get(IDENTITY, {})
        return StudySummary(
            name=folder.name,
            path=folder.path,
            state=_state(study),
            changed=_changed(folder, study),
            task=str(identity.get("task", "")),
            sampler=str(identity.get("sampler", "")),
            done=_done(study),
            budget=int(attrs.get(BUDGET, 0)),
            front=_front(folder, study),
        )
    except UserError as error:
        return StudySummary(folder.name, folder.path, "unreadable", _written(folder), note=str(error))


def _study(folder: RunFolder) -> optuna.Study:
    return load_study(readable(study_place(folder)), folder.name)


def _state(study: optuna.Study) -> State:
    attrs = study.user_attrs
    last = LastProcess.from_dict(attrs[LAST_PROCESS]) if LAST_PROCESS in attrs else None
    if _measuring(study.get_trials(deepcopy=False)) or (last and last.working):
        return "running"
    if last:
        return ENDS[last.reason or "interrupted"]
    return "finished" if 0 < attrs.get(BUDGET, 0) <= _done(study) else "interrupted"


def _measuring(trials: list[FrozenTrial]) -> bool:
    owners = [trial.user_attrs.get(record.OWNER) for trial in trials if trial.state == TrialState.RUNNING]
    return any(owner is not None and not Owner.from_dict(owner).dead() for owner in owners)


def _done(study: optuna.Study) -> int:
    trials = study.get_trials(deepcopy=False)
    return sum(trial.state == TrialState.COMPLETE and kind_of(trial) == "search" for trial in trials)


def _front(folder: RunFolder, study: optuna.Study) -> int:
    if not {RUN_INFO, LAYOUT} <= study.user_attrs.keys():
        return 0
    info, records = read_run(folder)
    return len(pareto_set(records, info.objectives))


def _changed(folder: RunFolder, study: optuna.Study) -> datetime:
    ended = (trial.datetime_complete for trial in study.get_trials(deepcopy=False))
    return max((moment for moment in ended if moment), default=_written(folder))


def _written(folder: RunFolder) -> datetime:
    files = (file for file in (folder.database, folder.settings) if file.exists())
    return datetime.fromtimestamp(max(file.stat().st_mtime for file in files))
