"""How long a sub-model takes to derive, and how much of a training step is the step itself.

    python benchmarks/speed.py derive --model resnet50
    python benchmarks/speed.py pipeline --data cells/ --image-size 256 --model shufflenet_v2_x0_5

``derive``: a supernet of an untrained torchvision model at 224 pixels; random configurations of its space are
derived, each with weights of its own, the copy included. Printed: the median and the longest of ``--times``.
``pipeline``: training steps of a data set's cloud model as a run takes them, drawing and augmenting each batch from
the memory-mapped store, and the same steps with batches that were drawn before, ten and ten in turn. Printed: the
share of ``--times`` steps that they take without the data.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from report import Table, emit

from automl.ahead import Ahead
from automl.cloud_training import CloudTraining
from automl.reporters.quiet import QuietReporter
from automl.settings import Own
from automl.tasks.models import classifier
from automl.tasks.own import own_task
from search_spaces.chain import chain_of
from search_spaces.config import Config
from search_spaces.modules import layout_of
from search_spaces.space import SearchSpace, default_space
from search_spaces.supernet import BottleneckOptions, Supernet

SIDE, CLASSES = 224, 1000
WARM, BLOCK = 3, 10


def seconds(run: Callable[[], Any]) -> float:
    """Return how long a call takes."""
    began = time.perf_counter()
    run()
    return time.perf_counter() - began


def random_config(space: SearchSpace, rng: np.random.Generator) -> Config:
    """Return a random configuration that is cut at an interior split point."""
    drawn = {p.name: p.choices[int(rng.integers(len(p.choices)))] for p in space.parameters}
    return space.config({**drawn, "split": int(rng.integers(1, space.layout.splits))})


def derive(name: str, times: int) -> Table:
    """Time the derivation of random sub-models."""
    chain = chain_of(classifier(name, CLASSES, None), torch.zeros(1, 3, SIDE, SIDE))
    space = default_space(layout_of(chain), SIDE).without_gates()
    supernet = Supernet(chain, BottleneckOptions.of(space)).eval()
    rng = np.random.default_rng(0)
    configs = [random_config(space, rng) for _ in range(WARM + times)]
    took = [seconds(partial(supernet.derive, config)) for config in configs][WARM:]
    rows = ((name, times, 1000 * statistics.median(took), 1000 * max(took)),)
    return Table("Deriving a sub-model", ("model", "sub-models", "median, ms", "longest, ms"), rows)


def pipeline(own: Own, times: int) -> Table:
    """Time training steps, and the same steps with batches that are there already."""
    # The first block warms up.
    firsts = range(0, times + BLOCK, BLOCK)
    with tempfile.TemporaryDirectory() as cache:
        task = own_task(own, Path(cache), QuietReporter())
        whole, bare = (CloudTraining(task, task.cloud_model(), torch.get_num_threads()) for _ in range(2))
        given = [bare.batches[step] for step in range(firsts[-1] + BLOCK)]
        bare.batches = Ahead(given.__getitem__, len(given))
        taken = [(_block(whole, first), _block(bare, first)) for first in firsts][1:]
    steps = len(taken) * BLOCK
    step, alone = (1000 * sum(each) / steps for each in zip(*taken, strict=True))
    rows = ((str(own.data), own.model, steps, step, alone, alone / step),)
    columns = ("data", "model", "steps", "step, ms", "batch given, ms", "share that is the step")
    return Table("Data pipeline", columns, rows)


def _block(training: CloudTraining, first: int) -> float:
    return sum(seconds(partial(training.step, step)) for step in range(first, first + BLOCK))


def parsed(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("derive", "pipeline"))
    parser.add_argument("--model", default="resnet50", help="One of torchvision's.")
    parser.add_argument("--data", type=Path, help="The data set of the pipeline.")
    parser.add_argument("--image-size", type=int, help="Side of the model's input in pixels.")
    parser.add_argument("--times", type=int, default=20, help="Sub-models, or steps.")
    parser.add_argument("--json", action="store_true", help="Print JSON.")
    options = parser.parse_args(arguments)
    if options.what == "pipeline" and options.data is None:
        parser.error("pipeline needs --data")
    return options


def main() -> None:
    options = parsed()
    if options.what == "derive":
        table = derive(options.model, options.times)
    else:
        own = Own(options.data, image_size=options.image_size, model=options.model)
        table = pipeline(own, options.times)
    emit([table], options.json)


if __name__ == "__main__":
    main()
