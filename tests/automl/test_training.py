"""Training is resumable bit for bit; the cloud model is trained once and a damaged file is noticed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from automl.cloud_training import CloudTraining, cloud_model, cloud_model_key
from automl.descent import one_cycle
from automl.tasks.classification import ClassificationTask
from automl.tasks.crops import CropStyle
from automl.tasks.detection import DetectionTask
from automl.tasks.splits import Counts
from automl.training import run_steps, seeded, training_batch
from search_spaces.task import Recipe, Task

torch.set_num_threads(1)
STEPS = 6
RECIPE = Recipe(steps=STEPS, batch=4, learning_rate=1e-3, weight_decay=0.01)
FEW = Counts(13, 5, 4)
CLASSIFICATION = ClassificationTask(counts=FEW, recipe=RECIPE, style=CropStyle(size=32, height=(10, 20)))
TASKS = (DetectionTask(counts=FEW, recipe=RECIPE), CLASSIFICATION)


class Heard:
    """A reporter that remembers."""

    def __init__(self) -> None:
        self.stages: list[tuple[str, int]] = []
        self.done: list[int] = []
        self.said: list[str] = []

    def stage(self, name: str, total: int) -> None:
        self.stages.append((name, total))

    def advance(self, done: int, note: str = "") -> None:
        self.done.append(done)

    def expect(self, total: int) -> None:
        pass

    def trial(self, *_: Any) -> None:
        raise AssertionError("no trial belongs to training")

    def say(self, text: str) -> None:
        self.said.append(text)

    def close(self) -> None:
        pass


class KilledError(Exception):
    pass


class Killed(CloudTraining):
    """A training that dies at the start of one step."""

    def __init__(self, task: Task, model: torch.nn.Module, at: int) -> None:
        super().__init__(task, model, 1)
        self.at = at

    def step(self, index: int) -> float:
        if index == self.at:
            raise KilledError
        return super().step(index)


def weights(model: torch.nn.Module) -> dict[str, bytes]:
    return {name: tensor.contiguous().numpy().tobytes() for name, tensor in model.state_dict().items()}


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
@pytest.mark.parametrize("at", range(0, STEPS, 2))
def test_interrupted_and_continued_equals_unbroken_bit_for_bit(task: Task, at: int, tmp_path: Path) -> None:
    checkpoint = tmp_path / "training.checkpoint"
    unbroken, broken, continued = (task.cloud_model() for _ in range(3))
    run_steps(CloudTraining(task, unbroken, 1), STEPS, tmp_path / "other", Heard(), "training")
    with pytest.raises(KilledError):
        run_steps(Killed(task, broken, at), STEPS, checkpoint, Heard(), "training", every_seconds=0)
    assert checkpoint.exists() == (at > 0)
    heard = Heard()
    run_steps(CloudTraining(task, continued, 1), STEPS, checkpoint, heard, "training")
    assert weights(continued) == weights(unbroken)
    assert heard.stages == [("training", STEPS)] and heard.done[-1] == STEPS
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("damage", ["foreign", "truncated", "flipped"])
def test_a_damaged_checkpoint_is_said_and_training_starts_again(damage: str, tmp_path: Path) -> None:
    checkpoint = tmp_path / "training.checkpoint"
    heard, model, unbroken = Heard(), CLASSIFICATION.cloud_model(), CLASSIFICATION.cloud_model()
    with pytest.raises(KilledError):
        trainee = Killed(CLASSIFICATION, CLASSIFICATION.cloud_model(), 3)
        run_steps(trainee, STEPS, checkpoint, Heard(), "training", every_seconds=0)
    content = bytearray(checkpoint.read_bytes())
    content[len(content) // 2] ^= 1
    damaged = {"foreign": b"half a file", "truncated": bytes(content[:-90]), "flipped": bytes(content)}
    checkpoint.write_bytes(damaged[damage])
    run_steps(CloudTraining(CLASSIFICATION, model, 1), STEPS, checkpoint, heard, "training")
    run_steps(CloudTraining(CLASSIFICATION, unbroken, 1), STEPS, checkpoint, Heard(), "training")
    assert "damaged" in heard.said[0] and weights(model) == weights(unbroken)


@pytest.mark.parametrize("other", ["model", "optimizer"])
def test_a_checkpoint_of_another_version_is_said_and_training_starts_from_the_first_state(
    other: str, tmp_path: Path
) -> None:
    checkpoint = tmp_path / "training.checkpoint"
    heard, model, unbroken = Heard(), CLASSIFICATION.cloud_model(), CLASSIFICATION.cloud_model()
    with pytest.raises(KilledError):
        trainee = Killed(CLASSIFICATION, CLASSIFICATION.cloud_model(), 3)
        run_steps(trainee, STEPS, checkpoint, Heard(), "training", every_seconds=0)
    state = torch.load(checkpoint, weights_only=True)
    if other == "model":
        del state["trainee"]["model"][list(state["trainee"]["model"])[-1]]
    else:
        state["trainee"]["optimizer"]["param_groups"] *= 3
    torch.save(state, checkpoint)
    run_steps(CloudTraining(CLASSIFICATION, model, 1), STEPS, checkpoint, heard, "training")
    run_steps(CloudTraining(CLASSIFICATION, unbroken, 1), STEPS, checkpoint, Heard(), "training")
    assert "cannot be continued" in heard.said[0] and weights(model) == weights(unbroken)


def test_the_result_is_kept_before_the_checkpoint_goes(tmp_path: Path) -> None:
    checkpoint = tmp_path / "training.checkpoint"

    def save() -> None:
        raise KilledError

    trainee = CloudTraining(CLASSIFICATION, CLASSIFICATION.cloud_model(), 1)
    with pytest.raises(KilledError):
        run_steps(trainee, STEPS, checkpoint, Heard(), "training", every_seconds=0, save=save)
    assert checkpoint.exists()


def test_the_cloud_model_is_trained_once_then_loaded_frozen(tmp_path: Path) -> None:
    first = cloud_model(CLASSIFICATION, tmp_path, Heard(), threads=1)
    heard = Heard()
    second = cloud_model(CLASSIFICATION, tmp_path, heard, threads=1)
    assert heard.stages == [] and weights(first) == weights(second)
    assert not second.training and not any(p.requires_grad for p in second.parameters())


@pytest.mark.parametrize("damage", ["truncated", "flipped"])
def test_a_damaged_cached_model_is_said_and_trained_again(damage: str, tmp_path: Path) -> None:
    first = weights(cloud_model(CLASSIFICATION, tmp_path, Heard(), threads=1))
    (path,) = tmp_path.iterdir()
    content = bytearray(path.read_bytes())
    content[-9] ^= 1
    path.write_bytes(bytes(content[:-50] if damage == "truncated" else content))
    heard = Heard()
    assert weights(cloud_model(CLASSIFICATION, tmp_path, heard, threads=1)) == first
    assert "damaged" in heard.said[0] and heard.stages == [("cloud model", STEPS)]


def test_whatever_shapes_the_model_shapes_its_key() -> None:
    longer = Recipe(steps=STEPS + 1, batch=4, learning_rate=1e-3, weight_decay=0.01)
    tasks = [
        CLASSIFICATION,
        ClassificationTask(counts=FEW, recipe=longer, style=CLASSIFICATION.style),
        ClassificationTask(counts=FEW, recipe=RECIPE, style=CLASSIFICATION.style, seed=1),
        ClassificationTask(counts=Counts(13, 5, 5), recipe=RECIPE, style=CLASSIFICATION.style),
        TASKS[0],
    ]
    keys = {cloud_model_key(task, threads=1) for task in tasks} | {cloud_model_key(CLASSIFICATION, threads=2)}
    assert len(keys) == len(tasks) + 1


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000), st.integers(0, 5))
def test_an_epoch_sees_no_sample_twice_and_a_batch_needs_no_history(seed: int, epoch: int) -> None:
    class Bare:
        def augment(self, images: Any, targets: Any, generator: Any) -> Any:
            return images, targets

    data = CLASSIFICATION.data("train")
    steps = range(epoch * 3, epoch * 3 + 3)
    rows = [training_batch(Bare(), data, 4, seed, i)[0] for i in steps]  # type: ignore[arg-type]
    assert len({row.numpy().tobytes() for batch in rows for row in batch}) == 12
    assert torch.equal(rows[1], training_batch(Bare(), data, 4, seed, steps[1])[0])  # type: ignore[arg-type]


def test_seeds_are_mixed_and_repeatable() -> None:
    draws = {tuple(torch.rand(3, generator=seeded(a, b)).tolist()) for a in range(8) for b in range(8)}
    assert len(draws) == 64
    assert torch.equal(torch.rand(3, generator=seeded(1, 2)), torch.rand(3, generator=seeded(1, 2)))


def test_one_cycle_rises_to_its_peak_and_ends_at_nought() -> None:
    rates = np.array([one_cycle(i, 100) for i in range(100)])
    peak = rates.argmax()
    assert rates.max() == pytest.approx(1.0, abs=1e-3) and rates[-1] == pytest.approx(0.0)
    assert (np.diff(rates[:peak]) > 0).all() and (np.diff(rates[peak + 1 :]) < 0).all()
