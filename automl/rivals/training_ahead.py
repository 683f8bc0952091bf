"""Training ahead: other processes train rivals, from the last one on, while one measures them from the first."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch

from automl.blueprint import Blueprint
from automl.reporter import Reporter
from automl.reporters.quiet import QuietReporter
from automl.rivals.bench import Bench, Take, config_of
from automl.rivals.edge_only import EdgeOnly
from automl.rivals.fixed_bottleneck import FixedBottleneck
from automl.rivals.turns import Turns
from automl.run_reader import read_run
from automl.work import trial_of
from automl.workers import Orphaned, Workers
from search_spaces.config import Config
from search_spaces.placement import CPU

POLL_SECONDS = 0.1


def trainers(plan: Blueprint, untrained: int) -> int:
    """Return how many processes train at once, this one included: those that share a device would wait there."""
    return max(1, min(plan.settings.workers, untrained)) if plan.device == CPU else 1


@contextmanager
def training_ahead(plan: Blueprint, left: Sequence[Config], reporter: Reporter) -> Iterator[Take]:
    """Let a run's other processes train what is left, the last one measured first, until the block's end.

    Args:
        plan: The run.
        left: What is to be trained, in the order in which it is measured.
        reporter: Hears of processes that failed.

    Yields:
        What this process calls before it trains: it returns once a configuration is this process's to train, or
        another one is done with it.
    """
    turns, places = Turns(len(left)), {config: index for index, config in enumerate(left)}
    with Workers(_train, (plan, left, turns), trainers(plan, len(left)) - 1) as workers:

        def take(config: Config) -> None:
            index = places.get(config)
            while index is not None and not turns.claim(index) and workers.live(turns.holder(index)):
                time.sleep(POLL_SECONDS)

        workers.release()
        try:
            yield take
        finally:
            # A process that has not begun yet, and so hears of no interrupt, finds nothing to do.
            turns.close()
    if workers.failure:
        reporter.say(workers.failure)


def waiting(bench: Bench) -> list[Config]:
    """Return what is to be trained, in the order in which it is measured."""
    parts = [part for rival in (EdgeOnly(bench), FixedBottleneck(bench)) for part in rival.parts([])]
    return [config for config in map(config_of, parts) if not bench.trained(config)]


def _train(plan: Blueprint, left: Sequence[Config], turns: Turns, orphaned: Orphaned) -> int:
    """Train one configuration after another that no other process has taken; what is trained is kept."""
    info, records = read_run(plan.settings.folder)
    bench = Bench(plan, trial_of(plan, QuietReporter()), records, info)
    torch.set_num_threads(plan.settings.threads)
    while not orphaned() and (index := turns.claim_last()) is not None:
        bench.candidate(left[index])
        turns.finish(index)
    return 0
