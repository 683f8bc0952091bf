"""A search that a test can start as a process and kill: the surrogate, with a pause a trial."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from automl.samplers import surrogate
from automl.search import never
from automl.study import Study
from automl.workers import Orphaned
from evaluators.measurement import Measurement
from search_spaces.config import Config
from search_spaces.objective import DEFAULT_OBJECTIVES, Objective


def main(arguments: Sequence[str], stop: Orphaned = never) -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--name", default="broken")
    parser.add_argument("--sampler", default="nsga2")
    parser.add_argument("--budget", type=int, default=30)
    parser.add_argument("--pause", type=float, default=0.0)
    parser.add_argument("--splits", type=int, nargs="*")
    parser.add_argument("--refine", type=int)
    options = parser.parse_args(arguments)
    space = surrogate.surrogate_space()
    if options.splits:
        space = space.narrowed({"split": options.splits})
    objectives = [Objective.named(name) for name in DEFAULT_OBJECTIVES]
    study = Study.open(options.root / options.name, "analytic", space, objectives, (), options.sampler, 0)

    if options.refine is not None:
        with study.refinement(options.refine) as mine:
            print("mine" if mine else "another's", flush=True)
            time.sleep(600)
        return 0

    def measure(config: Config, seed: int) -> Measurement:
        time.sleep(options.pause)
        with (options.root / f"{options.name}.measured").open("a") as log:
            log.write("x")
        return surrogate.measure(config, seed)

    anchors = [] if options.splits else [space.config({"split": split}) for split in (0, space.layout.splits)]
    outcome = study.run(measure, options.budget, anchors=anchors, stop=stop)
    print(outcome.reason, outcome.done)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
