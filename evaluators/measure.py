"""Every measure of one subject, by name."""

from __future__ import annotations

from evaluators.device_profile import DeviceProfile
from evaluators.energy import Energy
from evaluators.evaluator import Evaluator
from evaluators.flops import CloudFlops, EdgeFlops
from evaluators.latency import Latency
from evaluators.measurement import Measurement
from evaluators.memory import EdgeMemory
from evaluators.parameters import EdgeParams
from evaluators.quality import Quality
from evaluators.subject import Subject
from evaluators.transmission import Bytes
from evaluators.workload import workload_of

EVALUATORS: tuple[Evaluator, ...] = (Quality(), EdgeFlops(), Bytes(), CloudFlops(), EdgeParams(), EdgeMemory())


def measure(subject: Subject, profile: DeviceProfile | None = None) -> Measurement:
    """Apply every evaluator; latency and energy need a profile and are left out without one."""
    values = {evaluator.name: evaluator.measure(subject) for evaluator in EVALUATORS}
    if profile is not None:
        workload = workload_of(subject)
        values |= Latency(profile).measure(workload) | Energy(profile).measure(workload)
    return Measurement.from_dict(values)
