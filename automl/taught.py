"""The taught supernet: made once for a cloud model and a space, then loaded by the hash of all that shaped it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path

import torch

from automl.blueprint import Blueprint
from automl.cloud_training import cloud_model, cloud_model_key
from automl.reporter import Reporter
from automl.teaching import VERSION, SupernetTeaching, taught_parameters
from automl.tensor_file import DamagedError, load_tensors, save_tensors
from automl.training import run_steps
from search_spaces.chain import chain_of
from search_spaces.supernet import BottleneckOptions, Supernet

CALIBRATION = 128
"""Training samples from which the bottlenecks start."""


def taught_supernet(plan: Blueprint, reporter: Reporter) -> Supernet:
    """Return the supernet of a run, in eval mode: loaded from the cache, or taught now.

    The cloud model comes first, loaded or trained likewise. A space that only sends images has nothing to teach.
    """
    cache = plan.settings.folder.cache
    cloud = cloud_model(plan.task, cache, reporter, plan.settings.cores)
    supernet = Supernet(chain_of(cloud, plan.example), BottleneckOptions.of(plan.space))
    supernet = supernet.to(memory_format=torch.channels_last)
    path = supernet_file(plan)
    teachable = any(split != 0 for split in plan.space["split"].choices)
    if teachable and not (path.exists() and _loaded(supernet, path, reporter)):
        _teach(plan, supernet, path, reporter)
    return supernet.eval()


def supernet_file(plan: Blueprint) -> Path:
    """Return where the taught supernet of a run is cached."""
    shaped_by = {
        "cloud": cloud_model_key(plan.task, plan.settings.cores),
        "space": taught_parameters(plan.space),
        "recipe": asdict(plan.teaching),
        "version": VERSION,
    }
    key = hashlib.sha256(json.dumps(shaped_by, sort_keys=True).encode()).hexdigest()[:16]
    return plan.settings.folder.cache / f"supernet-{plan.task.name}-{key}.safetensors"


def _teach(plan: Blueprint, supernet: Supernet, path: Path, reporter: Reporter) -> None:
    recipe = plan.teaching
    torch.set_num_threads(plan.settings.cores)
    train = plan.task.data("train")
    images, targets = train.batch(range(min(CALIBRATION, len(train))))
    supernet.calibrate(images, lambda outputs: plan.task.task_loss(outputs, targets))
    teaching = SupernetTeaching(plan.task, supernet, plan.space, recipe)
    run_steps(
        teaching,
        recipe.steps,
        path.with_suffix(".checkpoint"),
        reporter,
        "supernet",
        save=lambda: save_tensors(supernet.state_dict(), path),
    )


def _loaded(supernet: Supernet, path: Path, reporter: Reporter) -> bool:
    try:
        supernet.load_state_dict(load_tensors(path)[0])
    except (DamagedError, RuntimeError) as error:
        reporter.say(f"cached supernet {path} is damaged ({error}): it is taught again")
        return False
    return True
