"""Finalists: the front refined by longer distillation and measured once on test, beside the plain answers."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from automl.bisection import Bisection
from automl.blueprint import Blueprint
from automl.exam import Exam, as_exported
from automl.keeper import Keeper
from automl.reporter import Reporter
from automl.search import never
from automl.seeds import derived, trial_seed
from automl.study import Study
from automl.trial import Candidate, Measured, Trial
from evaluators.measurement import Measurement
from evaluators.outcome import Outcome
from results.hypervolume import most_hypervolume
from results.pareto import pareto_set
from results.plain_answers import cloud_model, is_edge_only, is_image, is_shared
from results.record import Finalist, RunInfo, TrialRecord
from results.summary import TOLERANCE, QualityRule
from search_spaces.config import Config

POLL_SECONDS = 0.5
NEAR = 0.8
"""Share of the cloud model's quality from which a configuration is near it; others are rarely deployed."""


def chosen(records: Sequence[TrialRecord], info: RunInfo, count: int) -> list[TrialRecord]:
    """Return who is measured on test, as far as it is known: ``count`` shared members of the front, and rivals.

    Where the front has more of them, those near the cloud model that together dominate most hypervolume are
    taken, then the others likewise. Of the plain answers the cheapest edge-only configuration and the cheapest
    image that are as good as the cloud model are looked for: each that is measured tells which is the next.
    """
    whole = cloud_model(records, info)
    floor = NEAR * whole.validation.quality if whole else 0.0
    rivals = [record for each in bisections(records, info) for record in each.members]
    everyone = [*([whole] if whole else []), *rivals, *_shared(records, info, count, floor)]
    return list({record.number: record for record in everyone}.values())


def with_curves(members: Sequence[TrialRecord], front: Sequence[TrialRecord]) -> list[TrialRecord]:
    """Return members and, behind each, the others of the front on its curve: what refines one refines all."""
    found = {other.number: other for member in members for other in (member, *_beside(member, front))}
    return list(found.values())


def _beside(member: TrialRecord, front: Sequence[TrialRecord]) -> list[TrialRecord]:
    return [other for other in front if other.config.gated and other.config.curve == member.config.curve]


def bisections(records: Sequence[TrialRecord], info: RunInfo) -> list[Bisection]:
    """Return the searches for the cheapest plain answers, among those near the cloud model."""
    whole = cloud_model(records, info)
    if whole is None:
        return []
    near = [record for record in records if record.validation.quality >= NEAR * whole.validation.quality]
    rule = QualityRule(TOLERANCE, whole)
    edge_only = [record for record in near if is_edge_only(record, info) and record != whole]
    images = [record for record in near if is_image(record)]
    found = (_bisection(edge_only, "edge_flops", rule), _bisection(images, "bytes", rule))
    return [each for each in found if each.frontier]


def _bisection(records: Sequence[TrialRecord], cost: str, rule: QualityRule) -> Bisection:
    frontier = pareto_set(records, ("quality", cost))
    others = [record for record in records if record not in frontier]
    return Bisection(frontier, others, rule, lambda record: record.validation[cost])


def _shared(records: Sequence[TrialRecord], info: RunInfo, count: int, floor: float) -> list[TrialRecord]:
    shared = [record for record in pareto_set(records, info.objectives) if is_shared(record, info)]
    near = [record for record in shared if record.validation.quality >= floor]
    far = [record for record in shared if record.validation.quality < floor]
    taken = [*most_hypervolume(near, info, count, floor), *most_hypervolume(far, info, count - len(near))]
    return with_curves(taken, shared)


@dataclass(frozen=True)
class Finals:
    """Refines and tests a run's finalists.

    Attributes:
        plan: The run.
        trial: Derives, distils and measures.
        keeper: Holds the weights.
        study: Holds the record.
        reporter: Hears of the progress.
        stop: Asked before every finalist; True ends the work.
        wanted: Numbers of the trials that are refined in the place of those that tell most of the front.
    """

    plan: Blueprint
    trial: Trial
    keeper: Keeper
    study: Study
    reporter: Reporter
    stop: Callable[[], bool] = never
    wanted: tuple[int, ...] = ()

    def run(self) -> None:
        """Measure every finalist that has not been measured yet; test is read once for each.

        Any number of processes do so side by side, each taking the next curve that no other has.
        """
        records = self.study.records()
        self.reporter.stage("finalists", len(self._members(records)) + self._to_come(records))
        while not self.stop():
            records = self.study.records()
            members = self._members(records)
            self.reporter.expect(len(members) + self._to_come(records))
            self.reporter.advance(sum(record.finalist is not None for record in members))
            curves = [curve for curve in _curves(members) if any(r.finalist is None for r in curve)]
            if not curves:
                return
            busy, holds = self.study.refining(), _holds(records)
            free = [curve for curve in curves if holds[curve[0].config.curve] not in busy]
            if free:
                self._take(free[0], holds[free[0][0].config.curve])
            else:
                time.sleep(POLL_SECONDS)

    @cached_property
    def _info(self) -> RunInfo:
        return self.plan.info()

    def _members(self, records: Sequence[TrialRecord]) -> list[TrialRecord]:
        """Return the finalists that are known, first those that tell which others follow."""
        if not self.wanted:
            return chosen(records, self._info, self.plan.settings.effort.finalists)
        # What is said of any finalist is said beside the cloud model.
        named = [cloud_model(records, self._info), *(r for r in records if r.number in self.wanted)]
        return with_curves(list(filter(None, named)), pareto_set(records, self._info.objectives))

    def _to_come(self, records: Sequence[TrialRecord]) -> int:
        """Return how many finalists are yet to be found, at most."""
        found = [] if self.wanted else bisections(records, self._info)
        return sum(max(0, each.left - 1) for each in found)

    def _take(self, curve: Sequence[TrialRecord], hold: int) -> None:
        with self.study.refinement(hold) as mine:
            left = [self.study.record(record.number) for record in curve] if mine else []
            left = [record for record in left if record.finalist is None]
            for record, finalist in zip(left, self._finalists(left) if left else (), strict=True):
                self.study.set_finalist(record.number, finalist)

    def _is_whole(self, record: TrialRecord) -> bool:
        return self.trial.supernet.is_cloud_model(record.config)

    @cached_property
    def _exam(self) -> Exam:
        return Exam(self.plan, self.trial)

    def _finalists(self, curve: Sequence[TrialRecord]) -> list[Finalist]:
        """Refine what the records of one curve share, and examine it at each one's threshold."""
        configs, whole = [record.config for record in curve], self._is_whole(curve[0])
        kept = self._kept(curve[0])
        refined = kept or self._refined(curve[0])
        known = {configs[0]: Measured(refined, curve[0].validation)}
        along = known if whole else self.trial.along(refined, self.plan.space.along(configs[0]))
        candidates = [along[config].candidate for config in configs]
        if not whole and kept is None:
            self.keeper.save([found.candidate for found in along.values()], finalist=True)
        thresholds = [candidate.threshold for candidate in candidates]
        outcomes = as_exported(refined, self.trial.outcomes(refined, thresholds, self._exam.data), self._exam.data)
        return [
            self._examined(candidate, outcome, along[candidate.derived.config].measurement)
            for candidate, outcome in zip(candidates, outcomes, strict=True)
        ]

    def _examined(self, candidate: Candidate, outcome: Outcome, validation: Measurement) -> Finalist:
        quality, gap = self._exam.intervals(outcome)
        return Finalist(validation, self.trial.measured_as(candidate, outcome), quality, gap)

    def _kept(self, record: TrialRecord) -> Candidate | None:
        """Return the weights with which another finalist of a record's curve was measured, if there is one."""
        curve = (other for other in self.study.records() if other.config.curve == record.config.curve)
        if not any(other.finalist for other in curve):
            return None
        return self.keeper.load(record.config, self.trial.supernet, finalist=True)

    def _refined(self, record: TrialRecord) -> Candidate:
        candidate = self.candidate(record)
        return candidate if self._is_whole(record) else refined(candidate, self.trial, self.plan)

    def candidate(self, record: TrialRecord) -> Candidate:
        """Return a trial's candidate as the search measured it: as kept, or trained again from its seed."""
        kept = self.keeper.load(record.config, self.trial.supernet)
        seed = trial_seed(self.plan.settings.seed)
        return kept or self.trial.candidate(record.config, seed)


def _curves(records: Sequence[TrialRecord]) -> list[list[TrialRecord]]:
    """Return records by the curve that they lie on, in their order."""
    found: dict[Config, list[TrialRecord]] = {}
    for record in records:
        found.setdefault(record.config.curve, []).append(record)
    return list(found.values())


def _holds(records: Sequence[TrialRecord]) -> dict[Config, int]:
    """Return the number under which each curve is held, its first trial's, whichever members are asked for."""
    found: dict[Config, int] = {}
    for record in records:
        found[record.config.curve] = min(record.number, found.get(record.config.curve, record.number))
    return found


def refined(candidate: Candidate, trial: Trial, plan: Blueprint, hold_rate: bool = True) -> Candidate:
    """Return a candidate distilled further, as a finalist is; the one that is given stays as it is.

    Args:
        candidate: As the search had it.
        trial: Distils it.
        plan: The run.
        hold_rate: Whether it is to send no more bytes than before.
    """
    seed = derived(trial_seed(plan.settings.seed), "refine")
    recipe = replace(plan.refining, hold_rate=hold_rate)
    return trial.distilled(copy.deepcopy(candidate.derived), seed, recipe)
