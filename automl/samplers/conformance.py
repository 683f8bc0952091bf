"""Conformance: what every sampler must do, built in or plugged in; plug-in authors run these checks in their tests.

    @pytest.mark.parametrize("check", conformance.CHECKS)
    def test_my_sampler(check, tmp_path):
        check("my-sampler", tmp_path, trials=45)

Every check takes the sampler's name, an empty folder and how many trials to spend, and raises AssertionError.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from optuna.trial import TrialState

from automl.distributions import Params, distributions
from automl.record import kind_of, place_of
from automl.samplers.surrogate import measure, surrogate_space
from automl.study import Study
from automl.workers import Orphaned, Workers
from evaluators.measurement import Measurement
from results.record import TrialRecord
from search_spaces.config import Config
from search_spaces.objective import DEFAULT_OBJECTIVES, Constraint, Objective
from search_spaces.space import SearchSpace

Check = Callable[[str, Path, int], None]
Row = tuple[Config, tuple[float, ...]]
BOUND = Constraint.parse("bytes<=200")


class BrokenError(Exception):
    """Stands in for a kill: raised in the middle of a measurement."""


def same_seed_same_sequence(name: str, folder: Path, trials: int) -> None:
    """Two studies of one seed ask for the same; a third of another seed does not."""
    first = _finished(folder / "a", name, trials)
    assert first == _finished(folder / "b", name, trials), f"{name}: one seed, two sequences"
    other = _finished(folder / "c", name, 3, seed=1)
    assert first[: len(other)] != other, f"{name}: the seed makes no difference"


def resume_changes_nothing(name: str, folder: Path, trials: int) -> None:
    """A search that breaks every few trials and is continued equals an unbroken one."""
    whole = _finished(folder / "whole", name, trials)
    while True:
        study = _study(folder / "broken", name)
        try:
            study.run(_breaking(len(study.records())), trials, anchors=_anchors())
        except BrokenError:
            continue
        break
    broken = rows(study.records())
    assert broken == whole, f"{name}: resumed, it asks for something else"


def all_parameters_in_every_trial(name: str, folder: Path, trials: int) -> None:
    """Every trial records all parameters of the space, single-choice ones too, each with the same distribution."""
    space = surrogate_space().narrowed({"bits": [4]})
    study = _study(folder, name, space=space)
    study.run(measure, trials)
    for trial in study.trials():
        assert trial.distributions == distributions(space), f"{name}: trial {trial.number} lacks parameters"


def constraints_are_honoured(name: str, folder: Path, trials: int) -> None:
    """Every trial records its constraint, and what is asked for depends on it (but for ``random``)."""
    bound, free = _study(folder / "bound", name, constraints=(BOUND,)), _study(folder / "free", name)
    for study in (bound, free):
        study.run(measure, trials)
    for trial, record in zip(bound.trials(), bound.records(), strict=True):
        met = trial.constraints[str(BOUND)] <= 0
        assert met == record.feasible, f"{name}: trial {trial.number} lacks its constraint"
    if name != "random":
        assert rows(bound.records()) != rows(free.records()), f"{name}: constraints make no difference"


def no_configuration_twice(name: str, folder: Path, trials: int) -> None:
    """A small space is measured completely, each configuration once, and the search says that nothing is left."""
    space = surrogate_space().narrowed({"split": [0], "image_format": ["jpeg"], "image_resolution": [72, 96]})
    study = _study(folder, name, space=space)
    outcome = study.run(measure, 1000)
    configs = [record.config for record in study.records()]
    assert len(set(configs)) == len(configs) == space.size(), f"{name}: {len(configs)} of {space.size()}"
    assert outcome.reason == "exhausted", f"{name}: ended with {outcome.reason}"


def two_workers_ask_for_what_one_asks_for(name: str, folder: Path, trials: int) -> None:
    """Two processes on one study ask for the same as one, place by place, although they finish in any order."""
    alone = _study(folder / "alone", name)
    alone.run(measure, trials, anchors=_anchors())
    shared = _study(folder / "shared", name)
    with Workers(_share, (folder / "shared", name, trials), 2) as workers:
        workers.release()
    assert workers.codes == (0, 0), f"{name}: workers end with {workers.codes}"
    assert _sequence(shared) == _sequence(alone), f"{name}: two workers ask for something else"


CHECKS: tuple[Check, ...] = (
    same_seed_same_sequence,
    resume_changes_nothing,
    all_parameters_in_every_trial,
    constraints_are_honoured,
    no_configuration_twice,
    two_workers_ask_for_what_one_asks_for,
)


def rows(records: list[TrialRecord]) -> list[Row]:
    """Return what must not depend on kills: configurations and values in order, numbers and times aside."""
    return [(each.config, tuple(each.validation.to_dict().values())) for each in records]


def _study(
    folder: Path,
    name: str,
    seed: int = 0,
    space: SearchSpace | None = None,
    constraints: tuple[Constraint, ...] = (),
) -> Study:
    objectives = [Objective.named(each) for each in DEFAULT_OBJECTIVES]
    return Study.open(folder, "conformance", space or surrogate_space(), objectives, constraints, name, seed)


def _finished(folder: Path, name: str, trials: int, seed: int = 0) -> list[Row]:
    study = _study(folder, name, seed)
    study.run(measure, trials, anchors=_anchors())
    assert all(t.state == TrialState.COMPLETE for t in study.trials() if kind_of(t) == "search")
    return rows(study.records())


def _share(folder: Path, name: str, trials: int, orphaned: Orphaned) -> int:
    def slowly(config: Config, seed: int) -> Measurement:
        time.sleep(seed % 5 / 200)
        return measure(config, seed)

    _study(folder, name).run(slowly, trials, anchors=_anchors(), stop=orphaned)
    return 0


def _sequence(study: Study) -> list[Params]:
    """Return what was asked for by place."""
    placed = {place: trial.params for trial in study.trials() if (place := place_of(trial)) is not None}
    return [placed[place] for place in sorted(placed)]


def _anchors() -> list[Config]:
    space = surrogate_space()
    return [space.config({"split": split}) for split in (0, space.layout.splits)]


def _breaking(done: int) -> Callable[[Config, int], Measurement]:
    left = 1 + done * 7 % 11

    def measured(config: Config, seed: int) -> Measurement:
        nonlocal left
        left -= 1
        if left < 0:
            raise BrokenError
        return measure(config, seed)

    return measured
