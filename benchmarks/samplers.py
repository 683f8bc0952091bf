"""Compare the samplers' hypervolume on the synthetic surrogate over several seeds.

    python benchmarks/samplers.py --samplers nsga2 random --seeds 10 --trials 200
    python benchmarks/samplers.py --constraint "bytes<=100" "edge_flops<=8e6"

Prints, per sampler, the mean hypervolume with its standard error, how many seeds beat random's on the same seed,
and the time of one ask. Axes: 1 - quality, edge FLOPs / whole model's FLOPs, log10(1 + bytes); reference point
(1, 1.1, log10(1 + bytes of the raw image)). What breaks a constraint does not count. The trials are kept in memory;
the anchors are not counted.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import optuna
from pymoo.indicators.hv import HV

from automl.asking import Once
from automl.distributions import config_of, distributions
from automl.samplers.sampler import Ask, build
from automl.samplers.surrogate import REFERENCE, axes, measure, surrogate_space
from automl.seeds import trial_seed
from search_spaces.config import Config
from search_spaces.objective import DEFAULT_OBJECTIVES, Constraint, Objective


@dataclass(frozen=True)
class Outcome:
    """The hypervolume of one search, and the seconds of one ask."""

    hypervolume: float
    ask_seconds: float


def search(name: str, seed: int, trials: int, constraints: Sequence[Constraint]) -> Outcome:
    """Search the surrogate once."""
    space = surrogate_space()
    objectives = tuple(Objective.named(each) for each in DEFAULT_OBJECTIVES)
    study = optuna.create_study(directions=[each.direction for each in objectives])
    taken: set[Config] = set()
    points, spent = [], 0.0
    for index in range(trials):
        began = time.perf_counter()
        ask = Ask(space, objectives, seed, index)
        study.sampler = Once(build(name, ask), ask, taken)
        trial = study.ask(distributions(space))
        spent += time.perf_counter() - began
        config = config_of(space, trial.params)
        measured = measure(config, trial_seed(seed))
        violations = {str(each): each.violation(measured[each.name]) for each in constraints}
        for constraint, violation in violations.items():
            trial.set_constraint(constraint, violation)
        study.tell(trial, [measured[each.name] for each in objectives])
        taken.add(config)
        if all(violation <= 0 for violation in violations.values()):
            points.append(axes(measured))
    found = float(HV(ref_point=np.array(REFERENCE))(np.array(points))) if points else 0.0
    return Outcome(found, spent / trials)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samplers", nargs="+", default=["nsga2", "pymoo-nsga2", "tpe", "random"])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--constraint", nargs="+", default=[], type=Constraint.parse)
    options = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    floor = [
        search("random", seed, options.trials, options.constraint).hypervolume for seed in range(options.seeds)
    ]
    print(f"{'sampler':14} {'hypervolume':>18} {'beats random':>13} {'ms an ask':>10}")
    for name in options.samplers:
        outcomes = [search(name, seed, options.trials, options.constraint) for seed in range(options.seeds)]
        volumes = np.array([each.hypervolume for each in outcomes])
        error = volumes.std(ddof=1) / np.sqrt(len(volumes)) if len(volumes) > 1 else 0.0
        wins = sum(a > b for a, b in zip(volumes, floor, strict=True))
        spent = 1000 * np.mean([each.ask_seconds for each in outcomes])
        score = f"{volumes.mean():9.4f} ± {error:.4f}"
        print(f"{name:14} {score} {wins:>6} of {len(volumes)} {spent:>10.1f}", flush=True)


if __name__ == "__main__":
    main()
