"""Training ahead: other processes train rivals, from the last one on, while one measures them from the first."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.sharedctypes import Synchronized

import torch

from automl.blueprint import Blueprint
from automl.reporters.quiet import QuietReporter
from automl.rivals.bench import Bench, config_of
from automl.rivals.edge_only import EdgeOnly
from automl.rivals.fixed_bottleneck import FixedBottleneck
from automl.run_reader import read_run
from automl.work import trial_of
from automl.workers import Orphaned, Workers
from search_spaces.config import Config


@contextmanager
def training_ahead(plan: Blueprint, left: Sequence[Config]) -> Iterator[None]:
    """Let a run's other processes train what is left, the last one measured first, until the block's end."""
    taken = multiprocessing.get_context("spawn").Value("l", 0)
    count = min(plan.settings.workers - 1, len(left))
    with Workers(_train, (plan, left[::-1], taken), count) as workers:
        workers.release()
        yield
        # Whatever is left has been trained here.
        taken.value = len(left)


def waiting(bench: Bench) -> list[Config]:
    """Return what is to be trained, in the order in which it is measured."""
    parts = [part for rival in (EdgeOnly(bench), FixedBottleneck(bench)) for part in rival.parts([])]
    return [config for config in map(config_of, parts) if not bench.trained(config)]


def _train(plan: Blueprint, left: Sequence[Config], taken: Synchronized[int], orphaned: Orphaned) -> int:
    """Train one configuration after another that no other process has taken; what is trained is kept."""
    torch.set_num_threads(plan.settings.threads)
    info, records = read_run(plan.settings.folder)
    bench = Bench(plan, trial_of(plan, QuietReporter()), records, info)
    while not orphaned() and (index := _next(taken)) < len(left):
        bench.candidate(left[index])
    return 0


def _next(taken: Synchronized[int]) -> int:
    with taken.get_lock():
        taken.value += 1
        return taken.value - 1
