"""What is drawn ahead is what would be drawn on the spot, and it is drawn while the step before it is done."""

from __future__ import annotations

from threading import Event

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automl.ahead import Ahead

WAIT = 30.0


@given(st.lists(st.integers(0, 5), max_size=12))
def test_any_order_of_steps_gets_what_draw_gives(steps: list[int]) -> None:
    ahead = Ahead(lambda step: step * step, 6)
    assert [ahead[step] for step in steps] == [step * step for step in steps]


def test_the_next_step_is_drawn_before_it_is_asked_for() -> None:
    drawn = [Event() for _ in range(2)]
    ahead = Ahead(lambda step: drawn[step].set(), 2)
    ahead[0]
    assert drawn[1].wait(WAIT)


def test_each_step_is_drawn_once_and_none_behind_the_last() -> None:
    asked: list[int] = []
    ahead = Ahead(asked.append, 3)
    for step in range(3):
        ahead[step]
    assert asked == [0, 1, 2]


def test_a_step_that_cannot_be_drawn_says_why_when_it_is_asked_for() -> None:
    def draw(step: int) -> int:
        return [1][step]

    ahead = Ahead(draw, 2)
    assert ahead[0] == 1
    with pytest.raises(IndexError):
        ahead[1]
    assert ahead[0] == 1
