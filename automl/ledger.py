"""Ledger: the only writer of trials; claims, results and failures, by any number of processes on one storage."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

import optuna
from optuna.exceptions import UpdateFinishedTrialError
from optuna.samplers import BaseSampler
from optuna.trial import FrozenTrial, TrialState, create_trial

from automl import record
from automl.database import Database
from automl.distributions import Params, distributions, params_of
from automl.known_study import KnownStudy
from automl.owner import Owner
from automl.record import config_in, kind_of, place_of
from evaluators.measurement import Measurement
from search_spaces.config import Config
from search_spaces.objective import Constraint, Objective
from search_spaces.space import SearchSpace

POLL_SECONDS = 0.02


@dataclass(frozen=True)
class Claim:
    """A trial that this process has begun.

    Attributes:
        trial: The trial, as it was begun.
        trials: All trials by number, this one included, as they were when it was begun, or its turn.
        index: A search trial's place in the sequence, from 0.
        known: What its sampler may learn from; see ``automl.turn``.
    """

    trial: FrozenTrial
    trials: tuple[FrozenTrial, ...]
    index: int = 0
    known: tuple[FrozenTrial, ...] = ()

    @property
    def trial_id(self) -> int:
        """The storage's id."""
        return self.trial._trial_id

    @property
    def number(self) -> int:
        """The study's number."""
        return self.trial.number


class Ledger:
    """The study's trials.

    A trial's number is its ticket: of two processes that claim the same place, configuration or finalist, the lower
    number has it and the other one gives up (Lamport's bakery). So no lock is needed on any storage.
    """

    def __init__(
        self,
        study: optuna.Study,
        storage: Database,
        space: SearchSpace,
        objectives: Sequence[Objective],
        constraints: Sequence[Constraint],
    ) -> None:
        self.study = study
        self._storage = storage
        self._space = space
        self._distributions = distributions(space)
        self.objectives = tuple(objectives)
        self._constraints = constraints
        self._configs: dict[int, Config] = {}

    def trials(self) -> list[FrozenTrial]:
        """Return all trials by number."""
        return self.study.get_trials(deepcopy=False)

    def measured(self) -> list[FrozenTrial]:
        """Return the trials that have a Measurement, by number; of a configuration its own trial, if it has one.

        A configuration that was measured along with a trial which was then killed may be drawn for itself later.
        """
        measured = [trial for trial in self.trials() if record.measured(trial)]
        own = {self.config(trial) for trial in measured if kind_of(trial) != record.ALONG}
        return [trial for trial in measured if kind_of(trial) != record.ALONG or self.config(trial) not in own]

    def config(self, trial: FrozenTrial) -> Config | None:
        """Return a trial's canonical Config; None while its parameters are being drawn."""
        if trial.number not in self._configs:
            found = config_in(trial, self._space)
            if found is None:
                return None
            self._configs[trial.number] = found
        return self._configs[trial.number]

    def living(self) -> list[FrozenTrial]:
        """Return all trials by number, after failing those of dead processes.

        On this machine a process is known to be dead at once; elsewhere when its heartbeats stop.
        """
        trials = self.trials()
        running = [trial for trial in trials if trial.state == TrialState.RUNNING]
        if not running:
            return trials
        stale = set(self._storage._get_stale_trial_ids(self.study._study_id))
        for trial in running:
            owner = Owner.from_dict(trial.user_attrs[record.OWNER])
            if owner.dead() or (trial._trial_id in stale and not owner.near):
                self.fail(trial.number, "its process died")
        return self.trials()

    def fail_own(self, reason: str) -> None:
        """Fail what this process has in flight."""
        here = Owner.here().to_dict()
        for trial in self.trials():
            if trial.state == TrialState.RUNNING and trial.user_attrs[record.OWNER] == here:
                self.fail(trial.number, reason)

    def fail(self, number: int, reason: str) -> None:
        """Fail a trial and note why; nothing happens where it is finished already."""
        trial_id = self._storage.get_trial_id_from_study_id_trial_number(self.study._study_id, number)
        try:
            self._storage.set_trial_user_attr(trial_id, record.FAILURE, reason)
            self._storage.set_trial_state_values(trial_id, TrialState.FAIL)
        except UpdateFinishedTrialError:
            # Another process has failed it, or it ended just now: finished is finished.
            return

    def claim_search(self, trials: Sequence[FrozenTrial]) -> Claim | None:
        """Begin the first search trial of the sequence that is not there; None where another process was first."""
        places = {place_of(trial) for trial in trials}
        index = next(place for place in count() if place not in places)
        claim = self._begin({record.KIND: "search", record.INDEX: index})
        if any(place_of(trial) == index for trial in claim.trials if trial.number < claim.number):
            self.fail(claim.number, "another process has its place")
            return None
        return replace(claim, index=index)

    def taken(self, trials: Sequence[FrozenTrial]) -> set[Config]:
        """Return the configurations that are measured, or being measured, themselves or along with another one.

        What was measured along takes nothing by itself: the trial that it was measured with does, and where that
        one was killed before it ended, its place is drawn and measured as if it had never begun.
        """
        live = (self.config(trial) for trial in trials if _holds(trial))
        return {config for own in live if own is not None for config in self._space.along(own)}

    def claim_anchor(self, config: Config) -> Claim:
        """Begin an anchor."""
        attrs = {record.KIND: "anchor"}
        params = params_of(self._space, config)
        if params is None:
            return self._begin({**attrs, record.CONFIG: config.to_params()})
        return self._begin(attrs, params)

    def claim_finalist(self, number: int) -> Claim | None:
        """Take the refinement of a finalist on; None where another process was first."""
        claim = self._begin({record.KIND: record.FINALS, record.REFINES: number})
        if number in refined_in(trial for trial in claim.trials if trial.number < claim.number):
            self.fail(claim.number, "another process refines it")
            return None
        return claim

    def refining(self) -> set[int]:
        """Return the finalists that living processes refine."""
        return refined_in(self.living())

    def draw(self, claim: Claim, sampler: BaseSampler) -> Params:
        """Let the sampler draw all parameters of a claimed trial, and write them down.

        Raises:
            ValueError: the sampler draws what the space does not hold.
        """
        self.study.sampler = sampler
        study, trial = KnownStudy(self.study, claim.known), claim.trial
        sampler.before_trial(study, trial)
        params = sampler.sample_relative(study, trial, sampler.infer_relative_search_space(study, trial))
        self._storage.add(trial._trial_id, _running(params=params, distributions=self._distributions))
        return params

    def settle(self, claim: Claim, config: Config) -> bool:
        """Return whether the trial may measure ``config``; where another one has it, the trial is failed.

        Searches are drawn one after the other, so two of them never meet; a search gives way to an anchor.
        """
        trials = self.trials() if any(_running_beside(trial, claim) for trial in claim.trials) else claim.trials
        rivals = (trial for trial in trials if trial.number < claim.number or kind_of(trial) == "anchor")
        if config not in (self.config(trial) for trial in rivals if trial.number != claim.number and _holds(trial)):
            return True
        self.fail(claim.number, "another process measures this configuration")
        return False

    def note(self, config: Config, measurement: Measurement) -> None:
        """Write down what the measurement of another configuration measured as well; no sampler learns from it."""
        if any(record.measured(trial) and self.config(trial) == config for trial in self.trials()):
            return
        attrs = {
            record.KIND: record.ALONG,
            record.CONFIG: config.to_params(),
            record.MEASUREMENT: measurement.to_dict(),
        }
        template = create_trial(state=TrialState.FAIL, user_attrs=attrs)
        self.study._storage.create_new_trial(self.study._study_id, template)

    def finish(self, claim: Claim, measurement: Measurement, seconds: float) -> bool:
        """Write down what was measured; False where the trial was failed from outside meanwhile.

        Raises:
            ValueError: a measure is no finite number.
        """
        wrong = [name for name, value in measurement.to_dict().items() if not math.isfinite(value)]
        if wrong:
            raise ValueError(f"trial {claim.number}: {wrong[0]} was measured as {measurement[wrong[0]]}")
        attrs = {record.MEASUREMENT: measurement.to_dict(), record.SECONDS: seconds}
        violations = {str(each): each.violation(measurement[each.name]) for each in self._constraints}
        try:
            self._storage.add(claim.trial_id, _running(user_attrs=attrs, constraints=violations))
            self._conclude(claim, measurement)
        except UpdateFinishedTrialError:
            return False
        return True

    def _conclude(self, claim: Claim, measurement: Measurement) -> None:
        if record.CONFIG in claim.trial.user_attrs:
            self.fail(claim.number, "an anchor outside the narrowed space: recorded, but not for the sampler")
            return
        values = [measurement[objective.name] for objective in self.objectives]
        # What a sampler read when it was told of the last trial; Optuna's own ask would drop it.
        self.study._thread_local.cached_all_trials = None
        told = self.study.tell(claim.number, values, skip_if_finished=True)
        if told.state != TrialState.COMPLETE:
            raise UpdateFinishedTrialError(f"trial {claim.number} was failed from outside")

    def _begin(self, attrs: dict[str, Any], params: Params | None = None) -> Claim:
        # One transaction writes trial and owner: a trial without an owner could not be told from a dead one's.
        template = _running(
            params=params or {},
            distributions=self._distributions if params else {},
            user_attrs={**attrs, record.OWNER: Owner.here().to_dict()},
        )
        trial_id = self.study._storage.create_new_trial(self.study._study_id, template)
        trials = self.trials()
        return Claim(next(trial for trial in reversed(trials) if trial._trial_id == trial_id), tuple(trials))

    def beat(self, trial_id: int) -> None:
        """Say that the trial's process lives."""
        self._storage.record_heartbeat(trial_id)


def _running(**parts: Any) -> FrozenTrial:
    return create_trial(state=TrialState.RUNNING, **parts)


def refined_in(trials: Iterable[FrozenTrial]) -> set[int]:
    """Return the finalists whose refinement is among the trials."""
    running = (trial for trial in trials if trial.state == TrialState.RUNNING)
    return {trial.user_attrs[record.REFINES] for trial in running if kind_of(trial) == record.FINALS}


def _running_beside(trial: FrozenTrial, claim: Claim) -> bool:
    return trial.state == TrialState.RUNNING and trial.number != claim.number


def _holds(trial: FrozenTrial) -> bool:
    """Return whether nobody else may measure the trial's configuration."""
    live = trial.state == TrialState.RUNNING or record.measured(trial)
    return live and kind_of(trial) not in (record.FINALS, record.ALONG)
