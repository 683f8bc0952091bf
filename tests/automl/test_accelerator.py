"""An accelerator: what is computed on one is what a CPU computes, and no step waits for it."""

from __future__ import annotations

from dataclasses import replace

import elsewhere
import pytest
import torch
from torch import nn

from automl import cloud_training, lessons
from automl.accelerator import accelerator
from automl.cloud_training import CloudTraining, cloud_model_key
from automl.keeper import Keeper
from automl.shards import shard_count
from automl.tasks.classification import ClassificationTask
from automl.tasks.detection import DetectionTask
from automl.tasks.splits import Counts
from automl.teaching import SupernetTeaching, TeachingRecipe
from automl.trial import Trial, TrialRecipe
from deploy.errors import UserError
from search_spaces import trace
from search_spaces.chain import chain_of
from search_spaces.placement import CPU, brought_back, device_of
from search_spaces.space import SearchSpace, default_space
from search_spaces.supernet import BottleneckOptions, Supernet
from search_spaces.task import Task

ELSEWHERE = torch.device(elsewhere.NAME)
FEW = Counts(64, 32, 32)
STEPS = 12
RECIPE = TrialRecipe(steps=STEPS, batch=8, calibration=32, hold_rate=True)
SPLIT = {"split": 4, "width": 4, "bits": 3}
GATED = {**SPLIT, "offload": 0.5, "payload": "dynamic", "image_format": "webp"}
ANSWERING = {"split": 8, "edge_modules.stage2": 2, "offload": 0.5, "payload": "image"}


def supernet_of(task: Task) -> Supernet:
    torch.manual_seed(0)
    example = torch.zeros(1, 3, task.image_size, task.image_size)
    made = Supernet(chain_of(task.cloud_model(), example), BottleneckOptions(8, (1, 2)), exits=task)  # type: ignore[arg-type]
    images, targets = task.data("train").batch(range(16))
    made.calibrate(images, lambda outputs: task.task_loss(outputs, targets))
    return made


def space_of(supernet: Supernet, task: Task) -> SearchSpace:
    return default_space(supernet.layout, task.image_size).narrowed({"width": [2, 4, 8]})


@pytest.fixture(scope="module", params=[ClassificationTask, DetectionTask], ids=lambda kind: kind.__name__)
def task(request: pytest.FixtureRequest) -> Task:
    torch.set_num_threads(1)
    made: Task = request.param(counts=FEW)
    return made


@pytest.fixture(scope="module")
def trials(task: Task) -> tuple[Trial, Trial]:
    here, there = supernet_of(task).eval(), supernet_of(task).eval().to(ELSEWHERE)
    return Trial(task, here, RECIPE), Trial(task, there, RECIPE)


def assert_same(one: nn.Module, other: nn.Module) -> None:
    here, there = one.state_dict(), other.state_dict()
    assert here.keys() == there.keys()
    for name, tensor in here.items():
        torch.testing.assert_close(there[name].cpu(), tensor, rtol=1e-4, atol=1e-5, msg=name)


def test_a_name_is_a_device_or_one_line_says_that_it_is_none() -> None:
    assert accelerator("cpu") == CPU
    assert accelerator("auto").type in ("cpu", "cuda")
    for name in ("gpu", "cuda:99", "tpu", ""):
        with pytest.raises(UserError, match="torch finds no such device here; give auto, cpu or cuda"):
            accelerator(name)


def test_a_model_that_was_trained_elsewhere_is_kept_by_itself(task: Task) -> None:
    assert cloud_model_key(task, 2) != cloud_model_key(task, 2, ELSEWHERE) == cloud_model_key(task, 1, ELSEWHERE)


def test_a_batch_is_not_divided_among_threads_elsewhere(task: Task) -> None:
    model = task.cloud_model()
    assert shard_count(model, 16, 2) == 2 and shard_count(model.to(ELSEWHERE), 16, 2) == 1


def test_the_cloud_model_is_trained_to_the_same_weights(task: Task) -> None:
    here, there = task.cloud_model(), task.cloud_model().to(ELSEWHERE)
    for model in (here, there):
        training = CloudTraining(task, model, 1)
        for step in range(2):
            training.step(step)
    assert device_of(there) == torch.device(elsewhere.NAME, 0)
    assert_same(here, there)


def test_the_supernet_is_taught_to_the_same_weights(task: Task) -> None:
    here, there = supernet_of(task), supernet_of(task).to(ELSEWHERE)
    for supernet in (here, there):
        teaching = SupernetTeaching(task, supernet, space_of(supernet, task), TeachingRecipe(steps=2, batch=8))
        for step in range(2):
            teaching.step(step)
    assert_same(here, there)


@pytest.mark.parametrize(
    "params", [SPLIT, GATED, ANSWERING, {"split": 0}], ids=["split", "gated", "image", "cloud"]
)
def test_a_trial_measures_the_same(trials: tuple[Trial, Trial], task: Task, params: dict[str, int]) -> None:
    config = space_of(trials[0].supernet, task).config(params)
    here, there = (trial.candidate(config, 3) for trial in trials)
    assert_same(here.derived, there.derived)
    validation = task.data("validation")
    ours, theirs = (t.measured(c, validation).to_dict() for t, c in zip(trials, (here, there), strict=True))
    assert theirs == pytest.approx(ours, rel=0.01)


def test_what_was_distilled_elsewhere_is_kept_and_comes_back(
    trials: tuple[Trial, Trial], task: Task, tmp_path
) -> None:
    here, there = trials
    candidate = there.candidate(space_of(there.supernet, task).config(SPLIT), 3)
    Keeper(tmp_path).save(1, candidate)
    for trial in (here, there):
        kept = Keeper(tmp_path).load(1, trial.supernet)
        assert kept is not None and device_of(kept.derived) == device_of(trial.supernet)
        assert_same(brought_back(kept.derived), candidate.derived)


def test_no_step_reads_anything_back() -> None:
    task = ClassificationTask(counts=FEW)
    supernet = supernet_of(task).to(ELSEWHERE)
    training = CloudTraining(task, task.cloud_model().to(ELSEWHERE), 1)
    teaching = SupernetTeaching(task, supernet, space_of(supernet, task), TeachingRecipe(steps=2, batch=8))
    trial = Trial(task, supernet.eval(), RECIPE)
    derived = supernet.derive(replace(space_of(supernet, task).config(SPLIT), feature=1.0))
    elsewhere.reads.clear()
    training.step(0)
    assert not elsewhere.reads
    teaching.step(0)
    assert not elsewhere.reads
    trial._distil(derived, task.data("train"), 3, RECIPE)
    assert not elsewhere.reads


def test_in_mixed_precision_outputs_and_gradients_are_exact_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    task = DetectionTask(counts=FEW)
    supernet = supernet_of(task)
    space = space_of(supernet, task)
    exactly = CloudTraining(task, task.cloud_model(), 1).step(0)
    for module in (cloud_training, lessons, trace):
        monkeypatch.setattr(module, "mixed_precision", lambda device: torch.autocast("cpu", torch.bfloat16))
    training = CloudTraining(task, task.cloud_model(), 1)
    assert training.step(0) == pytest.approx(float(exactly), rel=0.02)
    teaching = SupernetTeaching(task, supernet, space, TeachingRecipe(steps=2, batch=8))
    assert torch.isfinite(teaching.step(0))
    found = Trial(task, supernet.eval(), RECIPE).candidate(space.config(GATED), 3)
    for model in (training.model, supernet, found.derived):
        assert all(p.dtype == torch.float32 and torch.isfinite(p).all() for p in model.parameters())
    traced = found.derived.trace(task.data("train").batch(range(4))[0])
    assert {each.dtype for each in traced.outputs} == {torch.float32} == {traced.quantised[0].values.dtype}
