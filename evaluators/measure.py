"""Every measure of one subject, by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from deploy.route import Route
from evaluators.answers import Answers
from evaluators.device_profile import DeviceProfile
from evaluators.energy import Energy
from evaluators.evaluator import Evaluator
from evaluators.flops import CloudFlops, EdgeFlops, cloud_costs, expected_cost
from evaluators.latency import Latency
from evaluators.measurement import Measurement
from evaluators.memory import EdgeMemory
from evaluators.outcome import Outcome
from evaluators.parameters import EdgeParams
from evaluators.quality import Quality
from evaluators.subject import Subject
from evaluators.transmission import Bytes
from evaluators.workload import Workload, workload_of
from search_spaces.derived import DerivedModel
from search_spaces.task import Task

EVALUATORS: tuple[Evaluator, ...] = (Quality(), EdgeFlops(), Bytes(), CloudFlops(), EdgeParams(), EdgeMemory())


def measure(subject: Subject, profile: DeviceProfile | None = None) -> Measurement:
    """Apply every evaluator; latency and energy need a profile and are left out without one."""
    values = {evaluator.name: evaluator.measure(subject) for evaluator in EVALUATORS}
    timed = {} if profile is None else _timed(workload_of(subject), profile)
    gated = {} if subject.derived.answering is None else _offloaded(subject.outcome)
    return Measurement.from_dict({**values, **timed, **gated})


def measure_along(
    derived: DerivedModel,
    task: Task,
    answers: Answers,
    thresholds: Sequence[float],
    profile: DeviceProfile | None = None,
) -> list[Measurement]:
    """Return what a model with a gate measures at each threshold; what no threshold changes is measured once."""
    outcomes = [answers.at(threshold) for threshold in thresholds]
    subject, qualities = Subject(derived, task, outcomes[0]), answers.qualities(task, thresholds)
    varying, costs = ("quality", "bytes", "cloud_flops"), cloud_costs(subject)
    fixed = {each.name: each.measure(subject) for each in EVALUATORS if each.name not in varying}
    workload = None if profile is None else workload_of(subject)
    found = []
    for quality, outcome in zip(qualities, outcomes, strict=True):
        own = {
            "bytes": Bytes().measure(replace(subject, outcome=outcome)),
            "cloud_flops": expected_cost(costs, outcome),
        }
        timed = {} if profile is None or workload is None else _timed(workload.of(outcome), profile)
        every = {"quality": float(quality), **fixed, **own, **timed, **_offloaded(outcome)}
        found.append(Measurement.from_dict(every))
    return found


def _offloaded(outcome: Outcome) -> dict[str, float]:
    return {"offloaded": float((outcome.routes != Route.EDGE).mean())}


def _timed(workload: Workload, profile: DeviceProfile) -> dict[str, float]:
    return Latency(profile).measure(workload) | Energy(profile).measure(workload)
