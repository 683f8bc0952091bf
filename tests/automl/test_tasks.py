"""The built-in tasks: disjoint splits, exact boxes, seeded data, traceable models, losses that know the teacher."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import fx
from torchvision.models.resnet import BasicBlock

from automl.tasks.classification import ClassificationTask
from automl.tasks.crops import CropStyle, compose_crop
from automl.tasks.detection import DetectionTask
from automl.tasks.scenes import SceneStyle, compose
from automl.tasks.sources import SPLITS, source
from automl.tasks.splits import Counts
from search_spaces.task import Task

torch.set_num_threads(1)
FEW = Counts(6, 5, 4)
TASKS = (DetectionTask(counts=FEW), ClassificationTask(counts=FEW))
each_task = pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)


def test_no_two_splits_share_a_scan_or_a_pixel_of_a_photograph() -> None:
    sources = [source(split) for split in SPLITS]
    assert sum(len(s.scans) for s in sources) == 1797
    for one, other in ((0, 1), (0, 2), (1, 2)):
        assert not {scan.tobytes() for scan in sources[one].scans} & {s.tobytes() for s in sources[other].scans}
    for photo in range(2):
        assert sum(s.photos[photo].shape[1] for s in sources) == 640


def test_every_split_has_every_digit() -> None:
    for split in SPLITS:
        assert np.bincount(source(split).labels, minlength=10).min() > 30


def test_boxes_are_those_of_the_visible_ink() -> None:
    """Without noise, what differs from the bare photograph is ink, and the boxes enclose it."""
    style = SceneStyle(digits=(1, 1), noise=0.0, contrast=(100.0, 100.0))
    flat = source("test")
    flat = type(flat)(flat.scans, flat.labels, (np.full((200, 200, 3), 90, np.uint8),))
    for seed in range(20):
        scene = compose(flat, style, np.random.default_rng(seed))
        moved = np.abs(scene.image.astype(int) - scene.image[0, 0].astype(int)).max(axis=2)
        (x0, y0, x1, y1) = scene.boxes[0].astype(int)
        strong = np.argwhere(moved > 0.5 * moved.max())
        assert strong.min(0)[0] >= y0 and strong.min(0)[1] >= x0
        assert strong.max(0)[0] < y1 and strong.max(0)[1] < x1
        assert moved[y0, x0:x1].max() > 0.2 * moved.max() and moved[y0:y1, x1 - 1].max() > 0.2 * moved.max()


def test_scenes_hide_at_most_the_allowed_share_and_boxes_lie_inside() -> None:
    for seed in range(20):
        scene = compose(source("train"), SceneStyle(), np.random.default_rng(seed))
        assert len(scene.boxes) == len(scene.labels) >= 1
        assert (scene.boxes[:, 2:] > scene.boxes[:, :2]).all()
        assert scene.boxes.min() >= 0 and scene.boxes.max() <= 80


def test_crops_are_seeded() -> None:
    first, second = (compose_crop(source("train"), CropStyle(), np.random.default_rng(3)) for _ in range(2))
    assert first[1] == second[1] and np.array_equal(first[0], second[0])


@each_task
def test_data_has_the_promised_form_and_follows_from_the_seed(task: Task) -> None:
    assert [len(task.data(split)) for split in SPLITS] == [6, 5, 4]
    assert task.data("train").images.dtype == torch.uint8
    again = type(task)(counts=FEW)  # type: ignore[call-arg]
    other = type(task)(counts=FEW, seed=1)  # type: ignore[call-arg]
    assert again.fingerprint() == task.fingerprint()
    assert other.fingerprint()["data"] != task.fingerprint()["data"]


@each_task
def test_the_cloud_model_is_seeded_and_traceable(task: Task) -> None:
    class Tracer(fx.Tracer):
        def is_leaf_module(self, m: torch.nn.Module, name: str) -> bool:
            return isinstance(m, BasicBlock) or super().is_leaf_module(m, name)

    model, twin = task.cloud_model().eval(), task.cloud_model().eval()
    images, _ = task.data("train").batch(range(3))
    traced = fx.GraphModule(model, Tracer().trace(model))
    for ours, theirs, again in zip(model(images), twin(images), traced(images), strict=True):
        assert torch.equal(ours, theirs) and torch.equal(ours, again)


@each_task
def test_augmentation_follows_from_the_generator_and_spares_the_originals(task: Task) -> None:
    images, targets = task.data("train").batch(range(4))
    before = images.clone()
    first, second = (task.augment(images, targets, torch.Generator().manual_seed(5))[0] for _ in range(2))
    assert torch.equal(first, second) and torch.equal(images, before)
    assert first.shape == images.shape and first.min() >= 0 and first.max() <= 1


@each_task
@pytest.mark.parametrize("temperature", [1.0, 4.0])
def test_the_response_loss_is_least_at_the_teacher(task: Task, temperature: float) -> None:
    images, _ = task.data("train").batch(range(4))
    teacher = tuple(o.detach() + 1 for o in task.cloud_model()(images))
    at_teacher = float(task.response_loss(teacher, teacher, temperature))
    moved = tuple((o + 0.5 * torch.randn(o.shape, generator=torch.Generator().manual_seed(1))) for o in teacher)
    learner = tuple(o.clone().requires_grad_() for o in moved)
    loss = task.response_loss(learner, teacher, temperature)
    loss.backward()
    assert at_teacher == pytest.approx(0.0, abs=1e-4)
    assert float(loss.detach()) > at_teacher + 0.01
    assert all(o.grad is not None and o.grad.abs().sum() > 0 for o in learner)


@each_task
def test_quality_of_predictions_and_its_bootstrap_agree(task: Task) -> None:
    data = task.data("test")
    with torch.no_grad():
        predictions = task.predict(task.cloud_model().eval()(data.batch(range(4))[0]))
    quality = task.quality(predictions, data.targets)
    assert task.bootstrap(predictions, data.targets, np.ones((2, 4))) == pytest.approx([quality] * 2, abs=1e-6)
