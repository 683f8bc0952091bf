"""Study: the record of a search, created or continued; Optuna keeps it, nothing of it is kept elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import optuna
from optuna.samplers import RandomSampler
from optuna.trial import FrozenTrial

from automl import record
from automl.database import Database
from automl.identity import Difference, differences, full_identity, refuse
from automl.last_process import LastProcess
from automl.ledger import Ledger
from automl.owner import Owner
from automl.refinement import refinement
from automl.samplers.sampler import factory
from automl.search import Along, Measure, Outcome, Reason, Search, alone, never
from automl.storage import database_errors, open_storage, storage_url
from deploy.errors import UserError
from results.pareto import pareto_set
from results.record import Finalist, TrialRecord
from search_spaces.config import Config
from search_spaces.objective import Constraint, Direction, Objective
from search_spaces.space import SearchSpace

IDENTITY = "identity"
ACCEPTED = "accepted"
BUDGET = "budget"
LAST_PROCESS = "last_process"


class Study:
    """One run's trials, and what they were made with. Made by ``Study.open``.

    Attributes:
        changes: What was accepted to be different when it was opened.
    """

    def __init__(
        self,
        url: str,
        study: optuna.Study,
        ledger: Ledger,
        space: SearchSpace,
        constraints: Sequence[Constraint],
        made_with: Mapping[str, Any],
        changes: Sequence[Difference] = (),
    ) -> None:
        self._url = url
        self._study = study
        self._ledger = ledger
        self._space = space
        self._constraints = constraints
        self._made_with = made_with
        self.changes = tuple(changes)

    @classmethod
    def open(
        cls,
        where: Path | str,
        name: str,
        space: SearchSpace,
        objectives: Sequence[Objective],
        constraints: Sequence[Constraint] = (),
        sampler: str = "nsga2",
        seed: int = 0,
        identity: Mapping[str, Any] | None = None,
        accept: frozenset[str] = frozenset(),
    ) -> Study:
        """Create a study or continue it.

        Args:
            where: A run's folder, an SQLite file (``.db``), or any URL that Optuna takes.
            name: The study's name.
            space: What is searched.
            objectives: What is optimised.
            constraints: What must hold.
            sampler: A sampler's name.
            seed: The study's seed.
            identity: All else that shapes the numbers, as JSON: task, model, data, ``threads``, ``versions``.
            accept: Items of the identity that may have changed: ``"versions"``, ``"threads"``.

        Raises:
            UserError: unknown sampler, storage that cannot be used, or another identity than the study's.
        """
        factory(sampler)
        made_with = full_identity(identity or {}, space, objectives, constraints, sampler, seed)
        storage = open_storage(where)
        url = storage_url(where)
        with database_errors(url):
            study = _found_or_created(name, storage, [objective.direction for objective in objectives])
            changes = _agree(study, made_with, accept)
            ledger = Ledger(study, storage, space, objectives, constraints)
        return cls(url, study, ledger, space, constraints, made_with, changes)

    def run(
        self,
        measure: Measure,
        budget: int,
        timeout: float | None = None,
        on_trial: Callable[[TrialRecord], None] | None = None,
        first: Sequence[Config] = (),
        anchors: Sequence[Config] = (),
        stop: Callable[[], bool] = never,
        along: Along = alone,
    ) -> Outcome:
        """Measure the anchors, then the user's own configurations, then what the sampler asks for.

        Args:
            measure: Measures a canonical Config with the trial's seed.
            budget: Search trials in total, those of earlier runs included; anchors come on top.
            timeout: Seconds after which no trial is begun.
            on_trial: Called with every trial that this process finishes.
            first: Configurations to try before the sampler is asked; they count against the budget.
            anchors: Ends to measure first; those that are measured already are not measured again.
            stop: Asked before every trial; True ends the search as interrupted.
            along: Says of a Config that was measured just now which others were measured with it.

        Raises:
            UserError: the budget is below 1, a configuration lies outside the space, or the storage fails.
        """
        if budget < 1:
            raise UserError(f"--budget {budget}: at least 1 trial is needed")
        with database_errors(self._url):
            self._note_budget(budget)
            search = Search(
                self._ledger,
                self._space,
                factory(self._made_with["sampler"]),
                int(self._made_with["seed"]),
                measure,
                lambda number: on_trial(self.record(number)) if on_trial else None,
                budget,
                None if timeout is None else time.monotonic() + timeout,
                tuple(first),
                tuple(anchors),
                stop,
                along,
            )
            return search.run()

    def records(self) -> list[TrialRecord]:
        """Return every measured trial, anchors included, by number; each configuration once."""
        with database_errors(self._url):
            finalists = self._finalists()
            return [self._record(trial, finalists.get(trial.number)) for trial in self._ledger.measured()]

    def record(self, number: int) -> TrialRecord:
        """Return one measured trial.

        Raises:
            UserError: no measured trial has that number.
        """
        with database_errors(self._url):
            for trial in reversed(self._ledger.trials()):
                if trial.number == number and record.measured(trial):
                    return self._record(trial, self._finalists().get(number))
        raise UserError(f"study '{self._study.study_name}' has no finished trial {number}")

    def front(self) -> list[TrialRecord]:
        """Return the feasible trials that no other one beats, anchors included, by rising bytes."""
        return pareto_set(self.records(), self._made_with["objectives"])

    def set_finalist(self, number: int, finalist: Finalist) -> None:
        """Note what a front member became; a finished trial cannot be changed, so the study holds it.

        Raises:
            UserError: no measured trial has that number.
        """
        self.record(number)
        with database_errors(self._url):
            self._study.set_user_attr(f"{record.FINALIST}{number}", record.finalist_to_json(finalist))

    def note_process(self, reason: Reason | None = None) -> None:
        """Note that this process works on the run, or with a reason that it has done so and why it stopped."""
        with database_errors(self._url):
            self._study.set_user_attr(LAST_PROCESS, LastProcess(Owner.here(), reason).to_dict())

    @contextmanager
    def refinement(self, number: int) -> Iterator[bool]:
        """Hold a finalist while it is refined; yields whether this process has it. See ``automl.refinement``."""
        with database_errors(self._url), refinement(self._ledger, number) as mine:
            yield mine

    def refining(self) -> set[int]:
        """Return the finalists that living processes refine."""
        with database_errors(self._url):
            return self._ledger.refining()

    def trials(self) -> list[FrozenTrial]:
        """Return Optuna's own trials, failed ones included, by number."""
        return self._ledger.trials()

    def accepted(self) -> list[dict[str, Any]]:
        """Return the changes of versions, threads and finalists' effort that were accepted, in order."""
        return list(self._study.user_attrs.get(ACCEPTED, []))

    def _note_budget(self, budget: int) -> None:
        if self._study.user_attrs.get(BUDGET) != budget:
            self._study.set_user_attr(BUDGET, budget)

    def _finalists(self) -> dict[int, Finalist]:
        return {
            int(key.removeprefix(record.FINALIST)): record.finalist_from_json(value)
            for key, value in self._study.user_attrs.items()
            if key.startswith(record.FINALIST)
        }

    def _record(self, trial: FrozenTrial, finalist: Finalist | None) -> TrialRecord:
        config = self._ledger.config(trial)
        assert config is not None
        return record.to_record(trial, config, self._constraints, finalist)


def _found_or_created(name: str, storage: Database, directions: list[Direction]) -> optuna.Study:
    """Return a study; of one that is there, nothing is written, so that a run can be read where nothing can."""
    if name in optuna.get_all_study_names(storage):
        return optuna.load_study(study_name=name, storage=storage, sampler=RandomSampler())
    # Where another process was quicker, its study is the one.
    return optuna.create_study(
        study_name=name, storage=storage, directions=directions, sampler=RandomSampler(), load_if_exists=True
    )


def _agree(study: optuna.Study, made_with: Mapping[str, Any], accept: frozenset[str]) -> list[Difference]:
    """Write the identity of a new study; compare that of an old one and return what may differ and does."""
    attrs = study.user_attrs
    if IDENTITY not in attrs:
        if study.get_trials(deepcopy=False):
            raise UserError(f"study '{study.study_name}' was not made by eccsearch: choose another --name")
        study.set_user_attr(IDENTITY, dict(made_with))
        return []
    found = differences(attrs[IDENTITY], made_with)
    refuse(study.study_name, found, accept)
    if found:
        done = len(study.get_trials(deepcopy=False))
        changes = [{"key": each.key, "old": each.old, "new": each.new, "from_trial": done} for each in found]
        study.set_user_attr(ACCEPTED, [*attrs.get(ACCEPTED, []), *changes])
        study.set_user_attr(IDENTITY, dict(made_with))
    return found
