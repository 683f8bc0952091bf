"""Whether searching the distillation weights pays.

    python benchmarks/distillation_weights.py runs detection --structures 12 --points points.jsonl
    python benchmarks/distillation_weights.py runs detection --search --fixed 1 0 2 0.5 --budget 200 --seeds 5

With the supernet of a run that exists, at that run's training steps. Without --search: random structures at
interior split points (split, modules, width, stride, bits; seeded) are each distilled once with every setting of a
grid of (response, feature, temperature, rate), on the same batches for every setting, and measured on validation.
Printed: each weight's main effect (quality relative to the structure's mean; bytes relative to its geometric mean),
the hypervolume of the structures under each fixed setting, best first, under the best setting for each structure
(an oracle: the most that any way of choosing could gain), and the gap. --points keeps what is measured, so an
interrupted grid goes on; --refine distils as finalists are, from the supernet. With --search: for every seed one
search with the weights fixed to --fixed, one that searches the rate alone, as a run does unless told otherwise, and
one that searches all four, same budget and steps, compared by hypervolume. Target: searching above fixed.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from itertools import product
from pathlib import Path

import numpy as np
from members import KeptRun, kept_run
from report import Cell, Table, emit
from searches import Arena, compared, contest

from automl.seeds import derived
from automl.settings import RunSettings
from automl.trial import Trial
from evaluators.measurement import Measurement
from results.hypervolume import hypervolume
from results.record import RunInfo, TrialRecord
from search_spaces.config import Config
from search_spaces.space import DISTILLATION, SearchSpace

SHOWN = 5
"""Fixed settings that the table lists."""


@dataclass(frozen=True, order=True)
class Weights:
    """One setting of the grid; without a response term the temperature has no effect and is 0."""

    response: float
    feature: float
    temperature: float
    rate: float

    def __str__(self) -> str:
        return f"response {self.response:g}, feature {self.feature:g}, temperature {self.temperature:g}, " + (
            f"rate {self.rate:g}"
        )


Points = dict[tuple[int, Weights], Measurement]
"""What each structure, by index, measures under each setting."""


def grid(response: list[float], feature: list[float], temperature: list[float], rate: list[float]) -> list[Weights]:
    """Return the distinct settings."""
    every = product(response, feature, temperature, rate)
    return sorted({Weights(r, f, t if r else 0.0, rate) for r, f, t, rate in every})


def structures(space: SearchSpace, count: int, seed: int) -> list[Config]:
    """Draw distinct structures without gates at interior split points: every parameter is uniform."""
    rng = np.random.default_rng(derived(seed, "structures"))
    inner = space.without_gates().narrowed(
        {"split": [s for s in space["split"].choices if 0 < int(s) < space.layout.splits]}
    )
    found: list[Config] = []
    while len(found) < count:
        params = {p.name: p.choices[rng.integers(len(p.choices))] for p in inner.parameters}
        whole = inner.canonical(Config.from_params(params))
        drawn = replace(whole, response=0.0, feature=0.0, temperature=0.0, rate=0.0)
        if drawn not in found:
            found.append(drawn)
    return found


def measure(run: KeptRun, configs: Sequence[Config], settings: Sequence[Weights], seed: int, kept: Path) -> Points:
    """Measure what ``kept`` does not hold yet; each point is written there as soon as it is known."""
    points: Points = {}
    known = {line["key"]: line["measured"] for line in map(json.loads, kept.open())} if kept.exists() else {}
    validation = run.plan.task.data("validation")
    for done, (index, weights) in enumerate(product(range(len(configs)), settings), start=1):
        config = replace(configs[index], **asdict(weights))
        key = json.dumps([seed, run.trial.recipe.steps, config.to_params()], sort_keys=True)
        if key not in known:
            candidate = run.trial.candidate(config, derived(seed, configs[index].to_params()))
            known[key] = run.trial.measured(candidate, validation).to_dict()
            with kept.open("a") as file:
                file.write(json.dumps({"key": key, "measured": known[key]}) + "\n")
            print(f"{done} of {len(configs) * len(settings)} points", file=sys.stderr, flush=True)
        points[index, weights] = Measurement.from_dict(known[key])
    return points


def main_effects(points: Points) -> list[tuple[Cell, ...]]:
    """Return, for every value of every weight, mean quality and bytes relative to the structure's own means."""
    structures = {index for index, _ in points}
    mean = {i: np.mean([m.quality for (j, _), m in points.items() if j == i]) for i in structures}
    log = {i: np.mean([np.log(m.bytes) for (j, _), m in points.items() if j == i]) for i in structures}
    rows: list[tuple[Cell, ...]] = []
    for name in ("response", "feature", "temperature", "rate"):
        for value in sorted({getattr(weights, name) for _, weights in points}):
            chosen = [(i, m) for (i, weights), m in points.items() if getattr(weights, name) == value]
            quality = float(np.mean([m.quality - mean[i] for i, m in chosen]))
            ratio = float(np.exp(np.mean([np.log(m.bytes) - log[i] for i, m in chosen])))
            rows.append((name, value, len(chosen), f"{quality:+.4f}", ratio))
    return rows


def volume(measured: Sequence[Measurement], info: RunInfo) -> float:
    """Return the hypervolume of points."""
    config = Config(1)
    return hypervolume([TrialRecord(i, "search", config, m) for i, m in enumerate(measured)], info)


def oracle(points: Points, info: RunInfo) -> float:
    """Return the hypervolume where every structure has a setting of its own, by ascent from the best fixed one.

    One structure's setting is changed at a time, while the hypervolume of all of them grows.
    """
    settings = sorted({weights for _, weights in points})
    indices = sorted({index for index, _ in points})
    fixed = max(settings, key=lambda weights: volume([points[i, weights] for i in indices], info))
    chosen = {i: points[i, fixed] for i in indices}
    best, before = volume(list(chosen.values()), info), -1.0
    while best > before:
        before = best
        for i, weights in product(indices, settings):
            tried = {**chosen, i: points[i, weights]}
            reached = volume(list(tried.values()), info)
            if reached > best:
                chosen, best = tried, reached
    return best


def grid_tables(points: Points, info: RunInfo, steps: int) -> list[Table]:
    """Return what the grid says."""
    count = len({index for index, _ in points})
    fixed = {w: volume([points[i, w] for i in range(count)], info) for w in sorted({w for _, w in points})}
    ranked = sorted(fixed.items(), key=lambda item: -item[1])
    best = oracle(points, info)
    listed = dict([*ranked[:SHOWN], ranked[-1]])
    rows: list[tuple[Cell, ...]] = [(f"fixed: {weights}", value) for weights, value in listed.items()]
    rows += [("best setting for each structure", best), ("its gain over the best fixed", best - ranked[0][1])]
    effects = ("weight", "value", "points", "quality", "bytes, times")
    title = f"{count} structures x {len(fixed)} settings, {steps} steps"
    return [
        Table(f"Main effects, {title}", effects, tuple(main_effects(points))),
        Table("Hypervolume of the structures", ("weights (best and worst fixed)", "hypervolume"), tuple(rows)),
    ]


def search_table(run: KeptRun, fixed: Weights, options: argparse.Namespace) -> Table:
    """Search with the weights fixed and with the weights searched."""
    base = replace(run.plan.settings, budget=options.budget, sampler=options.sampler, first=())
    # A response of 0 has no temperature, but the space wants one of its own.
    heat = fixed.temperature if fixed.response else run.plan.whole["temperature"].default
    chosen = {**asdict(fixed), "temperature": heat, "offload": 1.0}
    narrowed = {name: (value,) for name, value in chosen.items()}
    label = "-".join(f"{value:g}" for value in asdict(fixed).values())

    def fixing(seed: int) -> RunSettings:
        name = f"{base.name}-weights-{label}-{seed}"
        return replace(base, name=name, seed=seed, narrowed={**base.narrowed, **narrowed})

    def searching(names: Sequence[str], seed: int) -> RunSettings:
        searched = {name: run.plan.whole[name].choices for name in names}
        name = f"{base.name}-{'-'.join(names)}-searched-{seed}"
        return replace(base, name=name, seed=seed, narrowed={**base.narrowed, **narrowed, **searched})

    sides: dict[str, Callable[[int], RunSettings]] = {
        "all weights searched": partial(searching, DISTILLATION),
        "the rate alone searched": partial(searching, ("rate",)),
        "weights fixed": fixing,
    }
    found = contest(Arena(run.trial), sides, range(options.seeds))
    return compared(f"{options.budget} trials, {options.seeds} seeds; fixed: {fixed}", found)


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", type=Path)
    parser.add_argument("name", help="The run whose supernet and training steps are used.")
    parser.add_argument("--structures", type=int, default=12)
    parser.add_argument("--seed", type=int, default=0, help="Seeds the structures and the batches.")
    for name, values in (("response", "0 1 2"), ("feature", "0 1 2"), ("temperature", "2 4"), ("rate", "0 0.5 2")):
        parser.add_argument(f"--{name}", type=float, nargs="+", default=[float(each) for each in values.split()])
    parser.add_argument("--points", type=Path, default=Path("distillation_points.jsonl"))
    parser.add_argument("--refine", action="store_true", help="Distil as long as a finalist.")
    parser.add_argument("--search", action="store_true", help="Compare searches instead.")
    parser.add_argument(
        "--fixed", type=float, nargs=4, default=[1.0, 0.0, 2.0, 0.5], metavar=("R", "F", "T", "RATE")
    )
    parser.add_argument("--budget", type=int, default=200)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--sampler", default="nsga2")
    parser.add_argument("--json", action="store_true", help="Print JSON.")
    return parser.parse_args()


def main() -> None:
    options = parsed()
    run = kept_run(options.root, options.name)
    if options.search:
        emit([search_table(run, Weights(*options.fixed), options)], options.json)
        return
    settings = grid(options.response, options.feature, options.temperature, options.rate)
    configs = structures(run.plan.whole, options.structures, options.seed)
    if options.refine:
        run = replace(run, trial=Trial(run.plan.task, run.trial.supernet, run.plan.refining))
    points = measure(run, configs, settings, options.seed, options.points)
    emit(grid_tables(points, run.info, run.trial.recipe.steps), options.json)


if __name__ == "__main__":
    main()
