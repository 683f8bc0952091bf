"""An accelerator: what is computed on one is what a CPU computes, and no step waits for it."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import elsewhere
import numpy as np
import pytest
import torch
from torch import nn
from torchvision.models import shufflenet_v2_x0_5, swin_t, vit_b_16

from automl import cloud_training, lessons
from automl.accelerator import accelerator, make_ready
from automl.cloud_training import CloudTraining, cloud_model_key
from automl.keeper import Keeper
from automl.settings import RunSettings
from automl.shards import shard_count
from automl.tasks.classification import ClassificationTask
from automl.tasks.detection import DetectionTask
from automl.tasks.detectors import one_stage, rules_of
from automl.tasks.splits import Counts
from automl.teaching import SupernetTeaching, TeachingRecipe
from automl.trial import Trial, TrialRecipe
from deploy.errors import UserError
from search_spaces import trace
from search_spaces.chain import chain_of
from search_spaces.placement import CPU, brought_back, device_of, placed_targets
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


def assert_same(one: nn.Module, other: nn.Module, apart: str | None = None) -> None:
    here, there = one.state_dict(), other.state_dict()
    assert here.keys() == there.keys()
    for name, tensor in here.items():
        if apart is not None and apart in name:
            continue
        torch.testing.assert_close(there[name].cpu(), tensor, rtol=1e-4, atol=1e-5, msg=name)


@pytest.mark.parametrize("there", [False, True])
def test_auto_is_cuda_where_there_is_some(there: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: there)
    assert accelerator("auto").type == ("cuda" if there else "cpu")


def test_a_name_is_a_device_or_one_line_says_that_it_is_none() -> None:
    assert accelerator("cpu") == accelerator("cpu:0") == CPU
    assert accelerator("cuda").type == "cuda"
    for name in ("gpu", "tpu", "", "meta"):
        with pytest.raises(UserError, match="give auto, cpu or cuda"):
            accelerator(name)


def test_a_device_that_is_not_there_is_said_in_one_line() -> None:
    make_ready(CPU)
    make_ready(ELSEWHERE)
    with pytest.raises(UserError, match=r"cuda:99: torch cannot use it here \(.+\); give auto, cpu or cuda"):
        make_ready(torch.device("cuda:99"))


def test_a_run_from_before_there_were_devices_was_made_on_the_cpu(tmp_path: Path) -> None:
    made = RunSettings("classification", "old", tmp_path)
    made.folder.path.mkdir()
    values = asdict(made)
    del values["device"]
    made.folder.settings.write_text(json.dumps(values, default=str))
    assert RunSettings.load(made.folder).device == "cpu"


def test_auto_goes_on_with_what_a_run_was_begun_on(tmp_path: Path) -> None:
    auto = RunSettings("classification", "mine", tmp_path)
    assert auto.begun_on == "auto"
    auto.folder.path.mkdir()
    replace(auto, device="cuda").save()
    assert auto.begun_on == "cuda"
    assert replace(auto, device="cpu").begun_on == "cpu"
    auto.folder.settings.write_text("{")
    assert auto.begun_on == "auto"


@pytest.mark.parametrize("build", [swin_t, shufflenet_v2_x0_5, vit_b_16], ids=lambda build: build.__name__)
def test_other_families_run_elsewhere(build: Callable[..., nn.Module]) -> None:
    images = torch.rand(1, 3, 224, 224)
    here = chain_of(build(num_classes=3).eval(), images)
    there = copy.deepcopy(here).to(ELSEWHERE)
    with torch.no_grad():
        torch.testing.assert_close(there(images.to(ELSEWHERE))[0].cpu(), here(images)[0])


@pytest.mark.parametrize(
    ("name", "side"),
    [("ssdlite320_mobilenet_v3_large", 320), ("fcos_resnet50_fpn", 64), ("retinanet_resnet50_fpn", 64)],
)
def test_other_detectors_have_the_same_losses_elsewhere(name: str, side: int) -> None:
    rules, boxes = rules_of(name, 2, side), torch.tensor([[0.1, 0.1, 0.5, 0.6], [0.3, 0.2, 0.9, 0.4]]) * side
    nothing = {"boxes": torch.zeros(0, 4), "labels": torch.zeros(0, dtype=torch.int64)}
    targets = [{"boxes": boxes, "labels": torch.tensor([0, 1])}, nothing]
    with torch.no_grad():
        here = one_stage(name, 2, None).eval()(torch.rand(2, 3, side, side))
    there = tuple(output.to(ELSEWHERE) for output in here)
    ours = rules.loss(here, targets) + rules.response_loss(here, here, 2.0)
    theirs = rules.loss(there, placed_targets(targets, ELSEWHERE)) + rules.response_loss(there, there, 2.0)
    assert float(theirs) == pytest.approx(float(ours), rel=1e-4)


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
    # A gate's weights are where an optimiser stopped on a flat floor: what it says of samples is compared.
    assert_same(here.derived, there.derived, apart=".gate.linear.")
    validation = task.data("validation")
    if config.gated:
        scores = [t.answers(c, validation).scores for t, c in zip(trials, (here, there), strict=True)]
        np.testing.assert_allclose(*scores, atol=1e-3)
    ours, theirs = (t.measured(c, validation).to_dict() for t, c in zip(trials, (here, there), strict=True))
    assert theirs == pytest.approx(ours, rel=0.01)


def test_what_was_distilled_elsewhere_is_kept_and_comes_back(
    trials: tuple[Trial, Trial], task: Task, tmp_path
) -> None:
    here, there = trials
    candidate = there.candidate(space_of(there.supernet, task).config(SPLIT), 3)
    Keeper(tmp_path).save([candidate])
    for trial in (here, there):
        kept = Keeper(tmp_path).load(candidate.derived.config, trial.supernet)
        assert kept is not None and device_of(kept.derived) == device_of(trial.supernet)
        assert_same(brought_back(kept.derived), candidate.derived)


def test_no_step_waits_for_the_device() -> None:
    task = ClassificationTask(counts=FEW)
    supernet = supernet_of(task).to(ELSEWHERE)
    training = CloudTraining(task, task.cloud_model().to(ELSEWHERE), 1)
    teaching = SupernetTeaching(task, supernet, space_of(supernet, task), TeachingRecipe(steps=2, batch=8))
    trial = Trial(task, supernet.eval(), RECIPE)
    derived = supernet.derive(replace(space_of(supernet, task).config(SPLIT), feature=1.0))
    # Which units a slice keeps goes to the device once.
    teaching.step(0)
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
