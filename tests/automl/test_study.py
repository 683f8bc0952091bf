from __future__ import annotations

from pathlib import Path

import pytest
from optuna.trial import TrialState

from automl.samplers.sampler import factory
from automl.samplers.surrogate import measure, surrogate_space
from automl.search import Search
from automl.seeds import trial_seed
from automl.study import Study
from deploy.errors import UserError
from evaluators.measurement import Measurement
from results.record import Finalist, TrialRecord
from search_spaces.config import Config
from search_spaces.objective import DEFAULT_OBJECTIVES, Constraint, Objective
from search_spaces.space import SearchSpace

OBJECTIVES = [Objective.named(name) for name in DEFAULT_OBJECTIVES]
SPACE = surrogate_space()
SMALL = SPACE.narrowed({"split": [0], "image_format": ["jpeg"], "image_quality": [30, 50, 70]})
ENDS = [SPACE.config({"split": split}) for split in (0, SPACE.layout.splits)]


def opened(folder: Path, space: SearchSpace = SPACE, **more: object) -> Study:
    return Study.open(folder, folder.name, space, OBJECTIVES, **{"sampler": "random", **more})  # type: ignore[arg-type]


def test_a_record_says_what_was_measured(tmp_path: Path) -> None:
    study = opened(tmp_path, seed=3)
    heard: list[TrialRecord] = []
    outcome = study.run(measure, 4, on_trial=heard.append)
    assert (outcome.reason, outcome.done) == ("budget", 4)
    assert heard == study.records()
    for record in heard:
        assert record.validation == measure(record.config, trial_seed(3))


def test_the_budget_is_the_total_over_all_runs(tmp_path: Path) -> None:
    opened(tmp_path).run(measure, 2)
    study = opened(tmp_path)
    assert study.run(measure, 5).done == 5
    assert study.run(measure, 3).done == 5
    assert len(study.records()) == 5


def test_anchors_come_first_are_not_counted_and_not_repeated(tmp_path: Path) -> None:
    for _ in range(2):
        study = opened(tmp_path)
        study.run(measure, 3, anchors=ENDS)
        assert [record.kind for record in study.records()] == ["anchor"] * 2 + ["search"] * 3
        assert [record.config for record in study.records()[:2]] == ENDS


def test_an_anchor_that_another_process_finishes_meanwhile_is_not_measured_again(
    tmp_path: Path,
) -> None:
    slow, quick = opened(tmp_path), opened(tmp_path)

    def never_again(config: Config, seed: int) -> Measurement:
        raise AssertionError(f"{config} is measured already")

    search = Search(slow._ledger, SPACE, factory("random"), 0, never_again, print, 1, anchors=ENDS)
    seen = slow.trials()
    quick.run(measure, 1, anchors=ENDS)
    search._step(seen)
    assert [record.config for record in slow.records()[:2]] == ENDS
    assert slow.trials()[-1].user_attrs["failure"] == "another process measures this configuration"


def test_an_anchor_outside_a_narrowed_space_is_recorded_without_misleading_the_sampler(tmp_path: Path) -> None:
    study = opened(tmp_path, SPACE.narrowed({"split": [3, 4]}), sampler="tpe")
    study.run(measure, 2, anchors=ENDS)
    study.run(measure, 3, anchors=ENDS)
    assert [record.config for record in study.records()[:2]] == ENDS
    assert [trial.state for trial in study.trials()] == [TrialState.FAIL] * 2 + [TrialState.COMPLETE] * 3


def test_the_users_own_configurations_are_tried_first_and_count(tmp_path: Path) -> None:
    own = [SPACE.config({"split": 3, "bits": bits}) for bits in (2, 6)]
    study = opened(tmp_path)
    study.run(measure, 3, first=own)
    assert [record.config for record in study.records()[:2]] == own
    assert len(study.records()) == 3


def test_a_small_space_is_used_up_and_the_outcome_says_so(tmp_path: Path) -> None:
    study = opened(tmp_path, SMALL)
    outcome = study.run(measure, 50)
    assert (outcome.reason, outcome.done) == ("exhausted", SMALL.size())
    assert len({record.config for record in study.records()}) == SMALL.size()


def test_a_timeout_ends_the_search(tmp_path: Path) -> None:
    assert opened(tmp_path).run(measure, 50, timeout=0.0).reason == "timeout"


def test_an_error_goes_up_and_fails_its_trial(tmp_path: Path) -> None:
    def broken(config: Config, seed: int) -> Measurement:
        raise RuntimeError("no memory")

    study = opened(tmp_path)
    with pytest.raises(RuntimeError, match="no memory"):
        study.run(broken, 2)
    (trial,) = study.trials()
    assert trial.state == TrialState.FAIL
    assert trial.user_attrs["failure"] == "RuntimeError: no memory"


def test_an_interrupt_leaves_a_clean_state_and_is_reported(tmp_path: Path) -> None:
    def interrupted(config: Config, seed: int) -> Measurement:
        raise KeyboardInterrupt

    study = opened(tmp_path)
    study.run(measure, 1)
    assert study.run(interrupted, 2).reason == "interrupted"
    assert [trial.state for trial in study.trials()] == [TrialState.COMPLETE, TrialState.FAIL]


def test_what_is_no_number_is_refused(tmp_path: Path) -> None:
    def nowhere(config: Config, seed: int) -> Measurement:
        return Measurement(float("nan"), 1, 1, 1, 1, 1)

    with pytest.raises(ValueError, match="quality was measured as nan"):
        opened(tmp_path).run(nowhere, 1)


def test_infeasible_trials_never_reach_the_front(tmp_path: Path) -> None:
    study = opened(tmp_path, constraints=(Constraint.parse("bytes<=300"),))
    study.run(measure, 30)
    assert {record.feasible for record in study.records()} == {True, False}
    assert all(record.validation.bytes <= 300 for record in study.front())


def test_the_default_sampler_learns_what_is_feasible(tmp_path: Path) -> None:
    study = opened(tmp_path, sampler="nsga2", constraints=(Constraint.parse("edge_flops<=8e6"),))
    study.run(measure, 60)
    feasible = [record.feasible for record in study.records()]
    assert sum(feasible[-20:]) > 1.5 * sum(feasible[:20])


def test_a_finalist_is_kept_beside_its_trial(tmp_path: Path) -> None:
    study = opened(tmp_path)
    study.run(measure, 2)
    validation = study.records()[1].validation
    finalist = Finalist(validation, validation, (0.1, 0.2), (-0.1, 0.1))
    study.set_finalist(1, finalist)
    assert [record.finalist for record in opened(tmp_path).records()] == [None, finalist]
    with pytest.raises(UserError, match="no finished trial 7"):
        study.set_finalist(7, finalist)
