"""Latency and energy: the formulas as laws, and packets through a bandwidth trace."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluators.device_profile import LinkProfile, Power
from evaluators.energy import sample_energy
from evaluators.latency import sample_latency
from evaluators.transfer import replayed, transfer_seconds

SECONDS = st.lists(st.tuples(*(st.floats(0, 10),) * 3, st.booleans()), min_size=1, max_size=20)
RATES = st.lists(st.floats(0, 1e6).map(lambda rate: 0.0 if rate < 1 else rate), min_size=1, max_size=8).filter(any)


def columns(samples: list[tuple[float, float, float, bool]]) -> list[np.ndarray]:
    return [np.array(column) for column in zip(*samples, strict=True)]


@given(SECONDS)
def test_a_sample_waits_for_link_and_cloud_only_where_it_is_offloaded(
    samples: list[tuple[float, float, float, bool]],
) -> None:
    found = sample_latency(*columns(samples))
    for latency, (edge, transfer, cloud, offloaded) in zip(found, samples, strict=True):
        assert latency == pytest.approx(edge + offloaded * (transfer + cloud))


@given(SECONDS)
def test_at_one_watt_throughout_energy_is_latency(samples: list[tuple[float, float, float, bool]]) -> None:
    edge, sending, waiting, offloaded = columns(samples)
    energy = sample_energy(edge, sending, waiting, offloaded, Power(1.0, 1.0, 1.0))
    assert energy == pytest.approx(sample_latency(edge, sending, waiting, offloaded))


@given(SECONDS, st.tuples(*(st.floats(0, 5),) * 3))
def test_energy_is_the_sum_of_each_states_own(
    samples: list[tuple[float, float, float, bool]], watts: tuple[float, float, float]
) -> None:
    seconds = columns(samples)
    alone = [sample_energy(*seconds, Power(*np.eye(3)[state] * watts)) for state in range(3)]
    assert sample_energy(*seconds, Power(*watts)) == pytest.approx(np.sum(alone, axis=0))


@given(st.lists(st.integers(0, 5000), min_size=1, max_size=30), st.floats(1e3, 1e9), st.integers(1, 5))
def test_a_trace_of_one_rate_is_a_link_of_that_rate(sizes: list[int], rate: float, length: int) -> None:
    packets = np.array(sizes)
    steady = transfer_seconds(packets, LinkProfile(rate, 0.0))
    assert steady == pytest.approx(8 * packets / rate)
    replay = transfer_seconds(packets, LinkProfile(1.0, 0.0, (rate,) * length))
    assert replay == pytest.approx(steady, rel=1e-6, abs=1e-9)


@given(RATES, st.floats(0, 1), st.floats(1, 1e7), st.floats(1, 1e7))
def test_what_is_sent_in_two_packets_takes_as_long_as_in_one(
    rates: list[float], where: float, first: float, second: float
) -> None:
    trace, start = np.array(rates), np.array([where * len(rates)])
    whole = replayed(np.array([first + second]), start, trace)
    part = replayed(np.array([first]), start, trace)
    rest = replayed(np.array([second]), (start + part) % len(rates), trace)
    assert part + rest == pytest.approx(whole, rel=1e-6, abs=1e-6)


def test_an_outage_is_waited_out() -> None:
    rates, bits = np.array([8.0, 0.0, 8.0]), np.array([8.0, 8.0, 8.0, 0.0])
    starts = np.array([0.0, 1.0, 0.5, 1.0])
    assert replayed(bits, starts, rates) == pytest.approx([1.0, 2.0, 2.0, 0.0])


def test_a_packet_may_take_longer_than_the_trace() -> None:
    assert replayed(np.array([100.0]), np.array([0.0]), np.array([8.0, 2.0])) == pytest.approx([20.0])


def test_packets_are_sent_all_over_the_trace() -> None:
    found = transfer_seconds(np.full(100, 125), LinkProfile(1.0, 0.0, (1e6, 1e5, 1e6, 1e6)))
    assert sorted(set(np.round(found, 6))) == [0.001, 0.01]
    assert (found > 0.005).sum() == pytest.approx(25, abs=1)
