"""Latency: from image to answer, sample by sample."""

from __future__ import annotations

import numpy as np

from evaluators.device_profile import DeviceProfile
from evaluators.transfer import transfer_seconds
from evaluators.workload import Workload

MILLI = 1e3


def sample_latency(edge: np.ndarray, transfer: np.ndarray, cloud: np.ndarray, offloaded: np.ndarray) -> np.ndarray:
    """Return edge + offloaded * (transfer + cloud) of each sample, (n,), in the unit of its parts.

    Args:
        edge: What the edge computes before it answers or sends.
        transfer: The packet's way over the link and the round trip.
        cloud: What the cloud computes.
        offloaded: Which samples the cloud answers, bool.
    """
    return edge + np.where(offloaded, transfer + cloud, 0.0)


class Latency:
    """Milliseconds of every sample on a profile's devices and link."""

    def __init__(self, profile: DeviceProfile) -> None:
        self._profile = profile

    def measure(self, workload: Workload) -> dict[str, float]:
        """Return the mean, median and 95th percentile over the samples, in milliseconds, by the measures' names."""
        values = MILLI * latencies(workload, self._profile)
        middle, late = np.quantile(values, (0.5, 0.95))
        return {"latency": float(values.mean()), "latency_p50": float(middle), "latency_p95": float(late)}


def latencies(workload: Workload, profile: DeviceProfile) -> np.ndarray:
    """Return the seconds from image to answer of each sample, (n,)."""
    return sample_latency(
        workload.edge_seconds(profile.edge),
        transfer_seconds(workload.packets, profile.link) + profile.link.round_trip,
        workload.cloud_seconds(profile.cloud),
        workload.offloaded,
    )
