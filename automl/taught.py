"""The taught supernet: made once for a cloud model and a space, then loaded by the hash of all that shaped it."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from automl import cloud_training
from automl.accelerator import make_ready
from automl.blueprint import Blueprint
from automl.cloud_training import CloudTraining, cloud_model, cloud_model_key
from automl.crew import Crew, Share
from automl.joint_training import Training, train, train_beside
from automl.peers import Peers
from automl.recipes import said
from automl.reporter import Reporter
from automl.reporters.quiet import QuietReporter
from automl.teaching import SEED, VERSION, SupernetTeaching, taught_parameters
from automl.tensor_file import DamagedError, load_tensors, save_tensors
from automl.training import drawing
from deploy.digest import digest
from search_spaces.chain import chain_of
from search_spaces.placement import CPU
from search_spaces.supernet import BottleneckOptions, Supernet

STAGE = "supernet"
"""What the training is called."""
CALIBRATION = 128
"""Training samples from which the bottlenecks start."""


def taught_supernet(plan: Blueprint, reporter: Reporter, crew: Crew | None = None) -> Supernet:
    """Return the supernet of a run, in eval mode, on the CPU: loaded from the cache, or taught now.

    The cloud model comes first, loaded or trained likewise. A space that only sends images has nothing to teach.

    Args:
        plan: The run.
        reporter: Hears of what is trained.
        crew: Workers that can train beside this process.
    """
    cache = plan.settings.folder.cache
    supernet = _supernet(plan, cloud_model(plan.task, cache, reporter, plan.settings.cores, crew, plan.device))
    path = supernet_file(plan)
    teachable = any(split != 0 for split in plan.space["split"].choices)
    if teachable and not (path.exists() and _loaded(supernet, path, reporter)):
        _teach(plan, supernet, path, reporter, crew)
    return supernet.to(CPU).eval()


def supernet_file(plan: Blueprint) -> Path:
    """Return where the taught supernet of a run is cached."""
    shaped_by = {
        "cloud": cloud_model_key(plan.task, plan.settings.cores, plan.device),
        "space": taught_parameters(plan.space),
        "recipe": said(plan.teaching),
        "version": VERSION,
        **({"exits": True} if plan.exits else {}),
    }
    key = digest(shaped_by)[:16]
    return plan.settings.folder.cache / f"supernet-{plan.task.name}-{key}.safetensors"


def help_train(plan: Blueprint, share: Share) -> None:
    """Do a worker's part of the training of a run's cloud model or supernet.

    Raises:
        PeerLostError: another process has ended, or given up.
    """
    task, threads = plan.task, plan.settings.cores
    if share.assignment.stage == cloud_training.STAGE:
        model = task.cloud_model().to(memory_format=torch.channels_last)
        train_beside(share, lambda peers: CloudTraining(task, model, threads, peers))
    else:
        # Which units make up a module is read off the cloud model's weights.
        cloud = cloud_model(task, plan.settings.folder.cache, QuietReporter(), threads)
        supernet = _supernet(plan, cloud)
        train_beside(share, lambda peers: _teaching(plan, supernet, peers))


def _supernet(plan: Blueprint, cloud: nn.Module) -> Supernet:
    with drawing(SEED):
        supernet = Supernet(chain_of(cloud, plan.example), BottleneckOptions.of(plan.space), exits=plan.exits)
    return supernet.to(memory_format=torch.channels_last)


def _teaching(plan: Blueprint, supernet: Supernet, peers: Peers | None) -> SupernetTeaching:
    return SupernetTeaching(plan.task, supernet, plan.space, plan.teaching, plan.settings.cores, peers)


def _teach(plan: Blueprint, supernet: Supernet, path: Path, reporter: Reporter, crew: Crew | None) -> None:
    data, recipe, threads = plan.task.data("train"), plan.teaching, plan.settings.cores
    torch.set_num_threads(threads)
    images, targets = data.batch(range(min(CALIBRATION, len(data))))
    supernet.calibrate(images, lambda outputs: plan.task.task_loss(outputs, targets))
    make_ready(plan.device)
    supernet.to(plan.device)
    train(
        Training(STAGE, recipe.steps, min(recipe.batch, len(data)), threads, path.with_suffix(".checkpoint")),
        supernet,
        lambda peers: _teaching(plan, supernet, peers),
        reporter,
        lambda: save_tensors(supernet.state_dict(), path),
        crew,
    )


def _loaded(supernet: Supernet, path: Path, reporter: Reporter) -> bool:
    try:
        supernet.load_state_dict(load_tensors(path)[0])
    except (DamagedError, RuntimeError) as error:
        reporter.say(f"cached supernet {path} is damaged ({error}): it is taught again")
        return False
    return True
