"""Constraints: parsed from text, met or not, and how far from being met whatever the measure's unit is."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.errors import UserError
from search_spaces.objective import Constraint

SIZES = st.floats(1e-3, 1e9)


@given(SIZES, SIZES, st.sampled_from(["<=", ">="]))
def test_a_bound_is_met_where_nothing_lies_beyond_it(value: float, bound: float, relation: str) -> None:
    met = value <= bound if relation == "<=" else value >= bound
    assert (Constraint.parse(f"bytes{relation}{bound!r}").violation(value) <= 0) == met


@given(SIZES, SIZES, st.sampled_from([0.125, 8.0, 1024.0]), st.sampled_from(["<=", ">="]))
def test_the_unit_of_a_measure_does_not_matter(value: float, bound: float, scale: float, relation: str) -> None:
    one = Constraint.parse(f"bytes{relation}{bound!r}")
    other = Constraint.parse(f"edge_flops{relation}{bound * scale!r}")
    assert one.violation(value) == pytest.approx(other.violation(value * scale))


@given(SIZES, st.floats(1.1, 1e3))
def test_so_many_times_too_much_weighs_as_much_as_so_many_times_too_little(bound: float, times: float) -> None:
    too_much = Constraint("bytes", "<=", bound).violation(bound * times)
    too_little = Constraint("quality", ">=", bound).violation(bound / times)
    assert too_much == pytest.approx(math.log(times))
    assert too_little == pytest.approx(math.log(times))


def test_twice_the_bytes_weigh_more_than_a_tenth_more_multiply_adds() -> None:
    assert Constraint.parse("bytes<=170").violation(340) == pytest.approx(math.log(2))
    assert Constraint.parse("edge_flops<=2e7").violation(2.2e7) == pytest.approx(math.log(1.1))
    assert Constraint.parse("quality>=0.8").violation(0.4) == pytest.approx(math.log(2))
    assert Constraint.parse("bytes<=0").violation(3) == pytest.approx(math.log1p(3e6))


def test_a_quality_far_too_low_is_worse_than_some_bytes_too_many() -> None:
    quality, size = Constraint.parse("quality>=0.8"), Constraint.parse("bytes<=170")
    assert quality.violation(0.1) > size.violation(400) > 0
    assert math.isfinite(quality.violation(0.0)) and math.isfinite(Constraint.parse("bytes<=0").violation(3))


@pytest.mark.parametrize("text", ["bytes", "bytes<5", "bytes<=few", "weight<=5", "bytes<=1e", "bytes<=1e999"])
def test_what_is_no_bound_is_refused(text: str) -> None:
    with pytest.raises(UserError, match="constraint"):
        Constraint.parse(text)
