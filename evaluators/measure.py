"""Every measure of one subject, by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from evaluators.evaluator import Evaluator
from evaluators.flops import CloudFlops, EdgeFlops, cloud_costs, expected_cost
from evaluators.measurement import Measurement
from evaluators.memory import EdgeMemory
from evaluators.outcome import Outcome
from evaluators.parameters import EdgeParams
from evaluators.quality import Quality
from evaluators.subject import Subject
from evaluators.transmission import Bytes

EVALUATORS: tuple[Evaluator, ...] = (Quality(), EdgeFlops(), Bytes(), CloudFlops(), EdgeParams(), EdgeMemory())


def measure(subject: Subject) -> Measurement:
    """Apply every evaluator."""
    return Measurement.from_dict({evaluator.name: evaluator.measure(subject) for evaluator in EVALUATORS})


def measure_each(subject: Subject, outcomes: Sequence[Outcome]) -> list[Measurement]:
    """Return the measurement of one model for each of several outcomes: what does not depend on them, once."""
    first, *others = (replace(subject, outcome=outcome) for outcome in outcomes)
    measured, costs = measure(first), cloud_costs(subject)
    return [
        measured,
        *(
            replace(
                measured,
                quality=Quality().measure(each),
                bytes=Bytes().measure(each),
                cloud_flops=expected_cost(costs, each.outcome),
            )
            for each in others
        ),
    ]
