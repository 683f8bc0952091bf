"""Energy: what the edge draws from image to answer."""

from __future__ import annotations

import numpy as np

from evaluators.device_profile import DeviceProfile, Power
from evaluators.latency import MILLI, sample_latency
from evaluators.transfer import transfer_seconds
from evaluators.workload import Workload


def sample_energy(
    edge: np.ndarray, sending: np.ndarray, waiting: np.ndarray, offloaded: np.ndarray, power: Power
) -> np.ndarray:
    """Return the joules of each sample, (n,): seconds of each state times its watts.

    Args:
        edge: Seconds that the edge computes.
        sending: Seconds that its radio sends the packet.
        waiting: Seconds of the round trip and of the cloud's computation.
        offloaded: Which samples the cloud answers, bool.
        power: Watts of each state.
    """
    return sample_latency(edge * power.compute, sending * power.send, waiting * power.wait, offloaded)


class Energy:
    """Millijoules of the edge, on a profile's devices and link."""

    def __init__(self, profile: DeviceProfile) -> None:
        self._profile = profile

    def measure(self, workload: Workload) -> dict[str, float]:
        """Return the mean over the samples, in millijoules, by the measure's name."""
        profile = self._profile
        joules = sample_energy(
            workload.edge_seconds(profile.edge),
            transfer_seconds(workload.packets, profile.link),
            workload.cloud_seconds(profile.cloud) + profile.link.round_trip,
            workload.offloaded,
            profile.power,
        )
        return {"energy": MILLI * float(joules.mean())}
