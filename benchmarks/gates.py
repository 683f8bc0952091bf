"""Whether the learnt gate keeps fewer wrong answers on the edge than plain confidence does.

    python benchmarks/gates.py runs classification

On every finalist of a finished run that has a gate (with --all on every member that kept its weights), over the
whole test split: all samples are answered on the edge and scored by the gate, once. At each offload rate the
samples that the gate trusts most stay, and as many stay of those that the plain rule trusts most: the highest best
probability of a class, for detections the highest mean score of the boxes. Counted is the harm of what stays: wrong
classes, or 1 - F1 summed over samples; and the part of it that the cloud model would not have done. Target: at
least 20 % less of the latter than under the plain rule.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from members import KeptRun, Member, kept_run
from report import Cell, Table, emit

from deploy.route import Route
from search_spaces.exits import Exits
from search_spaces.task import DataSplit, Prediction

RATES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8)


@dataclass(frozen=True)
class Kept:
    """Harm that stays on the edge at one offload rate: in all, and beyond the cloud model's own."""

    harm: float
    regret: float


@dataclass(frozen=True)
class Gated:
    """One member's edge answers on a split.

    Attributes:
        harm: Of each sample's edge answer, (n,) in 0..1.
        regret: Of it what the cloud model would not have done, (n,).
        gate: The gate's scores, (n,).
        plain: How little the plain rule trusts each answer, (n,).
    """

    harm: np.ndarray
    regret: np.ndarray
    gate: np.ndarray
    plain: np.ndarray

    def kept(self, rate: float, scores: np.ndarray) -> Kept:
        """Return the harm of the answers with the lowest scores."""
        stay = np.argsort(scores, kind="stable")[: round((1 - rate) * len(scores))]
        return Kept(float(self.harm[stay].sum()), float(self.regret[stay].sum()))


def distrust(predictions: Sequence[Prediction]) -> np.ndarray:
    """Return 1 - the best class's probability of each sample, or 1 - the mean score of its boxes, (n,)."""
    boxes = "boxes" in predictions[0]
    return np.array([1 - (p["scores"].mean() if boxes else p["scores"].max()) if len(p["scores"]) else 1.0
                     for p in predictions])  # fmt: skip


def gated(run: KeptRun, member: Member, data: DataSplit, cloud: np.ndarray) -> Gated:
    """Answer a split on the edge; ``cloud`` is the harm of the cloud model's answers, (n,)."""
    task = run.plan.task
    assert isinstance(task, Exits)
    found = run.trial.answers(member.candidate, data)
    edge = found.routes[Route.EDGE]
    harm = task.harm(edge.predictions, edge.targets)
    return Gated(harm, (harm - cloud).clip(0), found.scores[:, 0], distrust(edge.predictions))


def rows(members: Sequence[Gated]) -> list[tuple[Cell, ...]]:
    """Return, for each offload rate, what stays under either rule, summed over members, and the gate's saving."""
    found: list[tuple[Cell, ...]] = []
    for rate in RATES:
        ours = [each.kept(rate, each.gate) for each in members]
        theirs = [each.kept(rate, each.plain) for each in members]
        harms = sum(k.harm for k in ours), sum(k.harm for k in theirs)
        regrets = sum(k.regret for k in ours), sum(k.regret for k in theirs)
        found.append((rate, *harms, _saved(*harms), *regrets, _saved(*regrets)))
    return found


def _saved(ours: float, theirs: float) -> float | None:
    return 100 * (1 - ours / theirs) if theirs else None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", type=Path)
    parser.add_argument("name")
    parser.add_argument(
        "--all", action="store_true", help="Every member that kept its weights, not finalists alone."
    )
    parser.add_argument("--json", action="store_true", help="Print unrounded JSON.")
    options = parser.parse_args()
    run = kept_run(options.root, options.name)
    data, task = run.plan.task.data("test"), run.plan.task
    wanted = ("search", "finalist") if options.all else ("finalist",)
    members = [m for m in run.members() if m.record.config.gated and m.weights in wanted]
    if not members or not isinstance(task, Exits):
        parser.exit(1, f"run '{options.name}' kept no member with a gate\n")
    whole = run.trial.outcome(run.trial.candidate(run.trial.supernet.cloud_config(), 0), data)
    cloud = task.harm(whole.predictions, whole.targets)
    found = [gated(run, member, data, cloud) for member in members]
    harm = ("harm, gate", "harm, plain rule", "less, %")
    regret = ("beyond the cloud model, gate", "plain rule", "less, %")
    title = f"What stays on the edge, summed over {len(found)} members and {len(data)} test samples"
    emit([Table(title, ("offloaded", *harm, *regret), tuple(rows(found)))], options.json)


if __name__ == "__main__":
    main()
