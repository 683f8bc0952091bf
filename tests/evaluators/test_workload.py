"""Workload: behind a gate every sample takes the time of its own route."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from deploy.image_codec import ImageSettings
from deploy.route import Route
from evaluators.device_profile import DeviceProfile, read_profile
from evaluators.latency import latencies
from evaluators.outcome import Outcome
from evaluators.workload import Workload

PROFILE = Path(__file__).parents[2] / "docs" / "profiles" / "phone-lte.toml"


@pytest.fixture(scope="module")
def profile() -> DeviceProfile:
    return read_profile(PROFILE)


def workload(routes: list[Route], packets: list[int]) -> Workload:
    return Workload(
        edge=(),
        cloud={Route.FEATURES: (), Route.IMAGE: ()},
        pixels=48**2,
        symbols=((8, 6, 6),),
        image=ImageSettings("jpeg", 50, 48, (48, 48)),
        packets=np.array(packets),
        boxes=None,
        routes=np.array(routes),
    )


def test_every_sample_takes_the_time_of_its_route(profile: DeviceProfile) -> None:
    routes, packets = [Route.EDGE, Route.FEATURES, Route.IMAGE], [0, 90, 700]
    mixed = latencies(workload(routes, packets), profile)
    for i, (route, size) in enumerate(zip(routes, packets, strict=True)):
        alone = latencies(workload([route], [size]), profile)
        assert mixed[i] == pytest.approx(alone[0])
    assert mixed[0] < mixed[1] < mixed[2]


def test_what_the_edge_answers_waits_for_nobody(profile: DeviceProfile) -> None:
    kept = latencies(workload([Route.EDGE], [0]), profile)
    slow = replace(profile, link=replace(profile.link, round_trip=9.0))
    assert latencies(workload([Route.EDGE], [0]), slow) == kept
    assert latencies(workload([Route.IMAGE], [700]), slow) > 9.0


@pytest.mark.parametrize(("route", "ends"), [(Route.EDGE, 1), (Route.FEATURES, 2), (Route.IMAGE, 2)])
def test_every_end_that_a_sample_reaches_takes_the_time_of_a_sample(
    profile: DeviceProfile, route: Route, ends: int
) -> None:
    late = replace(profile, edge=replace(profile.edge, sample=0.25), cloud=replace(profile.cloud, sample=0.25))
    work = workload([route], [90])
    assert latencies(work, late) == pytest.approx(latencies(work, profile) + ends * 0.25)


def test_another_outcome_has_its_own_routes(profile: DeviceProfile) -> None:
    before = workload([Route.IMAGE], [700])
    prediction = {"scores": np.ones(3)}
    after = before.of(Outcome([prediction], ({},), np.array([0]), np.array([Route.EDGE])))
    assert after.offloaded.tolist() == [False]
    assert latencies(after, profile) < latencies(before, profile)
