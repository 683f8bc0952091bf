"""Every measure of one subject, by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from evaluators.answers import Answers
from evaluators.evaluator import Evaluator
from evaluators.flops import CloudFlops, EdgeFlops, cloud_costs, expected_cost
from evaluators.measurement import Measurement
from evaluators.memory import EdgeMemory
from evaluators.parameters import EdgeParams
from evaluators.quality import Quality
from evaluators.subject import Subject
from evaluators.transmission import Bytes
from search_spaces.derived import DerivedModel
from search_spaces.task import Task

EVALUATORS: tuple[Evaluator, ...] = (Quality(), EdgeFlops(), Bytes(), CloudFlops(), EdgeParams(), EdgeMemory())


def measure(subject: Subject) -> Measurement:
    """Apply every evaluator."""
    return Measurement.from_dict({evaluator.name: evaluator.measure(subject) for evaluator in EVALUATORS})


def measure_along(
    derived: DerivedModel, task: Task, answers: Answers, thresholds: Sequence[float]
) -> list[Measurement]:
    """Return what a model with a gate measures at each threshold; what no threshold changes is measured once."""
    outcomes = [answers.at(threshold) for threshold in thresholds]
    subject, qualities = Subject(derived, task, outcomes[0]), answers.qualities(task, thresholds)
    varying, costs = ("quality", "bytes", "cloud_flops"), cloud_costs(subject)
    fixed = {each.name: each.measure(subject) for each in EVALUATORS if each.name not in varying}
    return [
        Measurement(
            quality=float(quality),
            bytes=Bytes().measure(replace(subject, outcome=outcome)),
            cloud_flops=expected_cost(costs, outcome),
            **fixed,
        )
        for quality, outcome in zip(qualities, outcomes, strict=True)
    ]
