"""Rate hold: what is sent stays at what it was at first, or below, whatever the first weight."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from automl.rate_hold import HEARD, MOST, RateHold


def after(hold: RateHold, *steps: float) -> float:
    """Return the weight after steps that took so many bits."""
    for bits in steps:
        hold.hear(0, torch.tensor(bits))
        hold.follow()
    return hold.weight


class Model:
    """Bits that fall with the weight and, as training goes on, rise without one."""

    def __init__(self) -> None:
        self.log_bits = math.log(800.0)

    def step(self, weight: float) -> float:
        self.log_bits += 0.01 - 0.004 * weight * math.exp(self.log_bits) / 800
        return math.exp(self.log_bits)


@pytest.mark.parametrize("weight", [0.0, 0.125, 2.0])
def test_bits_that_would_rise_are_held(weight: float) -> None:
    held, free, model, loose = RateHold(weight, True), RateHold(weight, False), Model(), Model()
    for _ in range(600):
        bits, more = model.step(held.weight), loose.step(free.weight)
        after(held, bits)
        after(free, more)
    assert bits < 880 < more


@given(st.lists(st.floats(1, 1e4), min_size=1, max_size=60), st.floats(0, 4))
def test_the_weight_never_falls_below_the_first_nor_runs_away(bits: list[float], weight: float) -> None:
    hold = RateHold(weight, True)
    assert weight <= after(hold, *bits) <= MOST


@given(st.lists(st.floats(1, 1e4), max_size=60), st.floats(0, 4))
def test_what_is_not_held_keeps_its_weight(bits: list[float], weight: float) -> None:
    assert after(RateHold(weight, False), *bits) == weight


def test_too_many_bits_raise_the_weight_and_fewer_lower_it_again() -> None:
    hold = RateHold(1.0, True)
    assert after(hold, *[800.0] * HEARD) == 1.0
    raised = after(hold, *[1200.0] * 20)
    assert raised > 1.5
    assert after(hold, *[600.0] * 100) == 1.0 < raised


def test_all_shards_count_in_whatever_order_they_come() -> None:
    one, other = RateHold(1.0, True), RateHold(1.0, True)
    for step in range(3 * HEARD):
        bits = [(0, torch.tensor(700.1 + 20 * step)), (8, torch.tensor(900.3)), (16, torch.tensor(123.4))]
        for hold, order in ((one, bits), (other, bits[::-1])):
            for shard, each in order:
                hold.hear(shard, each)
            hold.follow()
    assert one.weight == other.weight > 1.0


def test_a_sub_model_that_sends_nothing_is_left_alone() -> None:
    hold = RateHold(0.5, True)
    hold.follow()
    assert hold.weight == 0.5
