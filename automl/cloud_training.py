"""The cloud model: trained once, then loaded by the hash of everything that shaped it, always frozen."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import torch
import torchvision
from torch import Tensor, nn

from automl.accelerator import make_ready
from automl.ahead import Ahead
from automl.crew import Crew
from automl.descent import descend
from automl.joint_training import Training, train
from automl.peers import Peers
from automl.reporter import Reporter
from automl.shards import Shards
from automl.tensor_file import DamagedError, load_tensors, save_tensors
from automl.training import drawing, training_batch
from deploy.digest import digest
from search_spaces.placement import CPU, device_of, exact, mixed_precision
from search_spaces.recalibration import recalibrate
from search_spaces.task import Target, Task

VERSION = 6
"""Raise this whenever a change of the code changes the model that the same recipe gives."""
SEED = 0
RECALIBRATED = 1024
"""Training samples that the batch norms' final statistics are of: the last steps alone see too few."""
RECALIBRATION_BATCH = 32


STAGE = "cloud model"
"""What the training is called."""


def cloud_model(
    task: Task,
    cache: Path,
    reporter: Reporter,
    threads: int,
    crew: Crew | None = None,
    device: torch.device = CPU,
) -> nn.Module:
    """Return the task's trained cloud model: eval mode, frozen, channels-last, on the CPU.

    Args:
        task: The task; its fingerprint and recipe name the file.
        cache: Folder of the trained cloud models.
        reporter: Hears of the training, or that a cached file is damaged.
        threads: Threads that it is trained with.
        crew: Workers that can train it beside this process.
        device: What it is trained on.
    """
    path = cloud_model_file(task, cache, threads, device)
    model = task.cloud_model().to(memory_format=torch.channels_last)
    if not (path.exists() and _loaded(model, path, reporter)):
        make_ready(device)
        model = model.to(device)
        training = Training(STAGE, task.recipe.steps, batch_samples(task), threads, path.with_suffix(".checkpoint"))
        train(
            training,
            model,
            lambda peers: CloudTraining(task, model, threads, peers),
            reporter,
            lambda: _save(model, task, path),
            crew,
        )
    return model.to(CPU).eval().requires_grad_(False)


def cloud_model_file(task: Task, cache: Path, threads: int, device: torch.device = CPU) -> Path:
    """Return where the trained cloud model is cached."""
    return cache / f"cloud-{task.name}-{cloud_model_key(task, threads, device)[:16]}.safetensors"


def cloud_model_key(task: Task, threads: int, device: torch.device = CPU) -> str:
    """Return the sha256 of all that shapes the trained model: task, recipe, versions, device, threads, code."""
    shaped_by = {
        "task": task.fingerprint(),
        "recipe": [task.recipe.steps, task.recipe.batch, task.recipe.learning_rate, task.recipe.weight_decay],
        "torch": torch.__version__,
        "torchvision": torchvision.__version__,
        **({"threads": threads} if device == CPU else {"device": device.type}),
        "version": VERSION,
    }
    return digest(shaped_by)


def batch_samples(task: Task) -> int:
    """Return how many samples a step learns from."""
    return min(task.recipe.batch, len(task.data("train")))


class CloudTraining:
    """AdamW under a one-cycle learning rate, as a Trainee, on the device where the model lies.

    Args:
        task: The task.
        model: Its cloud model.
        threads: Threads of all shards together.
        peers: Processes that have the other shards.
    """

    def __init__(self, task: Task, model: nn.Module, threads: int, peers: Peers | None = None) -> None:
        self.task = task
        self.model, self.device = model.train(), device_of(model)
        self.data = task.data("train")
        decayed = [p for p in model.parameters() if p.ndim > 1]
        plain = [p for p in model.parameters() if p.ndim <= 1]
        groups = [
            {"params": decayed, "peak": task.recipe.learning_rate, "weight_decay": task.recipe.weight_decay},
            {"params": plain, "peak": task.recipe.learning_rate, "weight_decay": 0.0},
        ]
        self.optimizer = torch.optim.AdamW(groups, fused=True)
        self.shards = Shards(self.model, batch_samples(task), threads, whole_norms=True, peers=peers)
        draw = partial(training_batch, task, self.data, task.recipe.batch, SEED, device=self.device)
        self.batches = Ahead(draw, task.recipe.steps)

    def step(self, index: int) -> Tensor:
        """Train on the batch of step ``index``; return its loss."""
        images, targets = self.batches[index]
        with drawing(SEED, index):
            loss = self.shards.backward(lambda model, rows: [self._loss(model, images[rows], targets[rows])])
        descend(self.optimizer, self.shards.parameters, index, self.task.recipe.steps)
        return loss

    def _loss(self, model: nn.Module, images: Tensor, targets: list[Target]) -> Tensor:
        with mixed_precision(self.device):
            outputs = model(images)
        return self.task.task_loss(exact(outputs), targets)

    def state_dict(self) -> dict[str, Any]:
        """Return the model's and the optimiser's state."""
        return {"model": self.model.state_dict(), "optimizer": self.optimizer.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take the state that ``state_dict`` returned."""
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])


def _save(model: nn.Module, task: Task, path: Path) -> None:
    train = task.data("train")
    recalibrate(model, (train.batch(rows)[0] for rows in train.batches(RECALIBRATION_BATCH, RECALIBRATED)))
    save_tensors(model.state_dict(), path)


def _loaded(model: nn.Module, path: Path, reporter: Reporter) -> bool:
    try:
        tensors, _ = load_tensors(path)
        model.load_state_dict(tensors)
    except (DamagedError, RuntimeError) as error:
        reporter.say(f"cached cloud model {path} is damaged ({error}): it is trained again")
        return False
    return True
