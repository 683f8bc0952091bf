"""The gate: it learns which samples are hard, and harm weighs more than its absence."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from automl.gating import RECALL_BOOST, gate_loss
from automl.keeper import Keeper
from automl.tasks.classification import ClassificationTask
from automl.trial import Trial, TrialRecipe
from deploy.route import Route
from search_spaces.chain import chain_of
from search_spaces.space import SearchSpace, default_space
from search_spaces.supernet import BottleneckOptions, Supernet

RECIPE = TrialRecipe(steps=2, batch=8, calibration=32)
GATED = {"split": 4, "width": 4, "bits": 3, "offload": 0.5, "payload": "dynamic", "image_format": "webp"}


@pytest.fixture(scope="module")
def trial(task: ClassificationTask) -> Trial:
    example = torch.zeros(1, 3, task.image_size, task.image_size)
    supernet = Supernet(chain_of(task.cloud_model(), example), BottleneckOptions(8, (1,)), exits=task)
    images, targets = task.data("train").batch(range(16))
    supernet.calibrate(images, lambda outputs: task.task_loss(outputs, targets))
    return Trial(task, supernet.eval(), RECIPE)


@pytest.fixture(scope="module")
def space(trial: Trial) -> SearchSpace:
    return default_space(trial.supernet.layout, trial.task.image_size)


def test_missed_harm_costs_more_than_false_alarm() -> None:
    sure, harm = torch.tensor([[4.0]]), torch.tensor([[1.0]])
    missed, alarm = gate_loss(-sure, harm), gate_loss(sure, 1 - harm)
    torch.testing.assert_close(missed, RECALL_BOOST * alarm)


def test_the_wanted_share_of_validation_is_offloaded(trial: Trial, space: SearchSpace) -> None:
    data = trial.task.data("validation")
    outcome = trial.outcome(trial.candidate(space.config(GATED), 1), data)
    assert outcome.share(Route.EDGE) == pytest.approx(0.5, abs=1 / len(data))
    kept = outcome.routes == Route.EDGE
    assert (outcome.packet_bytes[kept] == 0).all() and (outcome.packet_bytes[~kept] > 0).all()


def test_the_same_seed_learns_the_same_gate(trial: Trial, space: SearchSpace) -> None:
    one, other = (trial.candidate(space.config(GATED), 1) for _ in range(2))
    assert one.threshold == other.threshold
    states = one.derived.state_dict(), other.derived.state_dict()
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


def test_one_pass_measures_every_share(trial: Trial, space: SearchSpace) -> None:
    config = space.config(GATED)
    candidate = trial.candidate(config, 1)
    along = trial.along(candidate, space.along(config))
    assert set(along) == set(space.along(config))
    own = trial.measured(candidate, trial.task.data("validation"))
    assert along[config].measurement.to_dict() == pytest.approx(own.to_dict())
    rising = [along[each].measurement for each in sorted(along, key=lambda each: each.offload)]
    assert [m.bytes for m in rising] == sorted(m.bytes for m in rising)
    assert [m.cloud_flops for m in rising] == sorted(m.cloud_flops for m in rising)
    assert len({m.edge_flops for m in rising}) == 1
    asked = sorted(each.offload for each in along)
    assert [m.offloaded for m in rising] == pytest.approx(asked, abs=1 / len(trial.task.data("validation")))
    other = next(each for each in along if each != config)
    again = trial.measured(along[other].candidate, trial.task.data("validation"))
    assert along[other].measurement.to_dict() == pytest.approx(again.to_dict())


def test_what_is_kept_comes_back_with_its_threshold(trial: Trial, space: SearchSpace, tmp_path) -> None:
    config = space.config(GATED)
    candidate = replace(trial.candidate(config, 1), threshold=0.1 + 0.2)
    keeper = Keeper(tmp_path)
    keeper.save([candidate])
    kept = keeper.load(config, trial.supernet)
    assert kept is not None and kept.threshold == candidate.threshold
    data = trial.task.data("validation")
    assert trial.measured(kept, data) == trial.measured(candidate, data)


def test_a_curve_is_kept_in_one_file_with_every_threshold(trial: Trial, space: SearchSpace, tmp_path) -> None:
    config = space.config(GATED)
    along = trial.along(trial.candidate(config, 1), space.along(config))
    keeper = Keeper(tmp_path)
    keeper.save([found.candidate for found in along.values()])
    assert len(list(tmp_path.iterdir())) == 1
    for other, found in along.items():
        kept = keeper.load(other, trial.supernet)
        assert kept is not None
        assert (kept.derived.config, kept.threshold) == (other, found.candidate.threshold)
    assert keeper.load(config.curve, trial.supernet) is None
    keeper.drop([config])
    assert not list(tmp_path.iterdir())
