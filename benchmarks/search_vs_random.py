"""Whether the default sampler finds more than random search on a real task.

    python benchmarks/search_vs_random.py --task detection --budget 200 --seeds 10 --root runs

Every sampler searches with every seed, without gates; the cloud model and the supernet come from the cache
below --root, or are trained there once for all. Measured: the hypervolume of the search trials on validation
(the convention of docs/benchmarks.md), its mean and standard error over the seeds, the paired difference from
the sampler named last, and on how many seeds it is above it; beside it the hypervolume with the anchors, as a
run prints it. Search alone counts: nothing is refined. Each search is a run of its own (TASK-SAMPLER-SEED), so
the command continues where it was interrupted, and a larger --budget continues all of them. Target: nsga2 above
random.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from report import emit
from searches import Arena, compared, contest

from automl.blueprint import blueprint
from automl.reporters.plain import PlainReporter
from automl.settings import Effort, RunSettings
from automl.work import trial_of
from deploy.cores import available_cores


def settings_of(options: argparse.Namespace, sampler: str, seed: int) -> RunSettings:
    """Return one search's settings."""
    effort = Effort(options.cloud_steps, options.teach_steps, options.trial_steps, finalists=0)
    return RunSettings(
        task=options.task,
        name=f"{options.task}-{sampler}-{seed}",
        root=options.root,
        budget=options.budget,
        # A gate's whole curve comes with one trial, so samplers would differ less in what they ask for.
        narrowed={"offload": (1.0,)},
        sampler=sampler,
        seed=seed,
        threads=options.threads,
        effort=effort,
    )


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--task", default="detection")
    parser.add_argument("--budget", type=int, default=200)
    parser.add_argument("--seeds", type=int, default=10, help="How many; they are 0, 1, 2, ...")
    parser.add_argument("--samplers", nargs="+", default=["nsga2", "random"], help="Compared with the last.")
    parser.add_argument("--root", type=Path, default=Path("runs"))
    parser.add_argument("--threads", type=int, default=available_cores())
    parser.add_argument("--cloud-steps", type=int)
    parser.add_argument("--teach-steps", type=int, default=Effort.teach_steps)
    parser.add_argument("--trial-steps", type=int, default=Effort.trial_steps)
    parser.add_argument("--json", action="store_true", help="Print JSON.")
    return parser.parse_args()


def main() -> None:
    options = parsed()
    torch.set_num_threads(options.threads)
    arena = Arena(trial_of(blueprint(settings_of(options, "random", 0)), PlainReporter(sys.stderr)))
    sides: dict[str, Callable[[int], RunSettings]] = {
        sampler: partial(settings_of, options, sampler) for sampler in options.samplers
    }
    found = contest(arena, sides, range(options.seeds))
    title = f"{options.task}, {options.budget} trials, {options.seeds} seeds"
    emit([compared(title, found)], options.json)


if __name__ == "__main__":
    main()
