"""Every measure of one subject, by name."""

from __future__ import annotations

from evaluators.evaluator import Evaluator
from evaluators.flops import CloudFlops, EdgeFlops
from evaluators.measurement import Measurement
from evaluators.memory import EdgeMemory
from evaluators.parameters import EdgeParams
from evaluators.quality import Quality
from evaluators.subject import Subject
from evaluators.transmission import Bytes

EVALUATORS: tuple[Evaluator, ...] = (Quality(), EdgeFlops(), Bytes(), CloudFlops(), EdgeParams(), EdgeMemory())


def measure(subject: Subject) -> Measurement:
    """Apply every evaluator."""
    return Measurement.from_dict({evaluator.name: evaluator.measure(subject) for evaluator in EVALUATORS})
