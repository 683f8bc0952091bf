"""The cloud model of a data set from several seeds: what chance alone does to its quality on test.

    python benchmarks/cloud_seeds.py --data cells/ --image-size 256 --model shufflenet_v2_x0_5 --weights b.pth

A run trains its cloud model from seed 0. Here what is new of the model begins from each of ``--seeds`` seeds, and
so do its batches; the data set's splits, the recipe and all else are a run's own. Printed: each one's quality on
test, measured once when its training is over, and their mean.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from pathlib import Path
from unittest.mock import patch

import torch
from report import Table, emit

from automl import cloud_training
from automl.cloud_training import cloud_model
from automl.reporters.plain import PlainReporter
from automl.settings import Own
from automl.tasks import own as own_tasks
from automl.tasks.own import OwnTask, own_task
from search_spaces.payload import tensors_of
from search_spaces.task import DataSplit

BATCH = 32


def trained(task: OwnTask, seed: int, threads: int) -> torch.nn.Module:
    """Return the cloud model that a run would have if its seed were another one."""
    with (
        tempfile.TemporaryDirectory() as cache,
        patch.object(own_tasks, "SEED", seed),
        patch.object(cloud_training, "SEED", seed),
    ):
        return cloud_model(task, Path(cache), PlainReporter(sys.stderr), threads)


@torch.no_grad()
def quality(task: OwnTask, model: torch.nn.Module, data: DataSplit) -> float:
    """Return a cloud model's quality on a split."""
    outputs = (tensors_of(model(data.batch(rows)[0])) for rows in data.batches(BATCH))
    predictions = [prediction for batch in outputs for prediction in task.predict(batch)]
    return task.quality(predictions, data.targets)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="The data set.")
    parser.add_argument("--image-size", type=int, help="Side of the model's input in pixels.")
    parser.add_argument("--model", default="small", help="As eccsearch run has it.")
    parser.add_argument("--weights", help="As eccsearch run has it.")
    parser.add_argument("--seeds", type=int, default=3, help="How many seeds, from 0 on.")
    parser.add_argument("--json", action="store_true", help="Print unrounded JSON.")
    options = parser.parse_args()
    own = Own(options.data, None, options.image_size, options.model, options.weights)
    with tempfile.TemporaryDirectory() as cache:
        task = own_task(own, Path(cache), PlainReporter(sys.stderr))
        test, threads = task.data("test"), torch.get_num_threads()
        found = [quality(task, trained(task, seed, threads), test) for seed in range(options.seeds)]
    rows = (*((str(seed), each) for seed, each in enumerate(found)), ("mean", statistics.mean(found)))
    emit([Table(f"Cloud model on {len(test)} test samples", ("seed", task.metric), rows)], options.json)


if __name__ == "__main__":
    main()
