from __future__ import annotations

from pathlib import Path

import pytest

from automl.samplers.surrogate import surrogate_space
from automl.study import Study
from deploy.errors import UserError
from search_spaces.objective import Constraint, Objective

MADE_WITH = {"task": "detection", "threads": 2, "versions": {"torch": "2.14", "optuna": "5.0"}}


def opened(folder: Path, accept: frozenset[str] = frozenset(), **changed: object) -> Study:
    identity = {**MADE_WITH, **changed}
    return Study.open(
        folder, "run", surrogate_space(), [Objective.named("bytes")], identity=identity, accept=accept
    )


def test_the_same_identity_continues(tmp_path: Path) -> None:
    opened(tmp_path)
    assert opened(tmp_path).accepted() == []


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"task": "classification"}, ['task was "detection" and is now "classification"', "--new"]),
        ({"threads": 4}, ["threads was 2 and is now 4", "--accept-threads", "--new"]),
        (
            {"versions": {"torch": "2.15", "optuna": "5.0"}},
            ['versions.torch was "2.14" and is now "2.15"', "--accept-versions"],
        ),
    ],
)
def test_another_identity_is_refused_and_named(
    tmp_path: Path, changed: dict[str, object], words: list[str]
) -> None:
    opened(tmp_path)
    with pytest.raises(UserError) as refusal:
        opened(tmp_path, **changed)
    assert all(word in str(refusal.value) for word in words)
    assert "\n" not in str(refusal.value)


def test_what_cannot_be_accepted_is_not_offered(tmp_path: Path) -> None:
    opened(tmp_path)
    with pytest.raises(UserError) as refusal:
        opened(tmp_path, frozenset({"versions", "threads"}), task="classification", threads=4)
    assert "--accept" not in str(refusal.value)
    assert "threads" not in str(refusal.value)


def test_of_many_differences_the_first_are_named_and_the_rest_counted(tmp_path: Path) -> None:
    opened(tmp_path)
    with pytest.raises(UserError, match=r"training\.a was not there.*training\.e was.*; and 2 more\.") as refusal:
        opened(tmp_path, training=dict.fromkeys("abcdefg", 1))
    assert "training.f" not in str(refusal.value)


def test_what_shapes_finalists_alone_is_noted_and_refuses_nobody(tmp_path: Path) -> None:
    opened(tmp_path, finalists={"refine_steps": 100})
    study = opened(tmp_path, finalists={"refine_steps": 200})
    assert [str(change) for change in study.changes] == ["finalists.refine_steps was 100 and is now 200"]
    assert [change["key"] for change in study.accepted()] == ["finalists.refine_steps"]
    assert opened(tmp_path, finalists={"refine_steps": 200}).changes == ()


def test_an_accepted_change_is_recorded_once(tmp_path: Path) -> None:
    opened(tmp_path)
    opened(tmp_path, frozenset({"threads"}), threads=4)
    study = opened(tmp_path, threads=4)
    assert study.accepted() == [{"key": "threads", "old": 2, "new": 4, "from_trial": 0}]


def test_space_objectives_constraints_sampler_and_seed_belong_to_the_identity(tmp_path: Path) -> None:
    space, objectives = surrogate_space(), [Objective.named("bytes")]
    Study.open(tmp_path, "run", space, objectives)
    others = [
        ((space.narrowed({"bits": [4]}), objectives), {}, "space.bits"),
        ((space, [Objective.named("quality")]), {}, "objectives"),
        ((space, objectives, [Constraint.parse("bytes<=9")]), {}, "constraints"),
        ((space, objectives), {"sampler": "tpe"}, "sampler"),
        ((space, objectives), {"seed": 1}, "seed"),
    ]
    for arguments, named, word in others:
        with pytest.raises(UserError, match=word):
            Study.open(tmp_path, "run", *arguments, **named)  # type: ignore[arg-type]


def test_an_unknown_sampler_is_named_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="did you mean 'nsga2'"):
        Study.open(tmp_path, "run", surrogate_space(), [Objective.named("bytes")], sampler="nsga")
    assert not list(tmp_path.iterdir())
