import pytest
from hypothesis import given
from hypothesis import strategies as st
from synthetic_records import INFO, WHOLE, realistic, record

from deploy.errors import UserError
from results.chooser import Choice, choose, knee
from results.pareto import pareto_set

FRONT = pareto_set(realistic(60), INFO.objectives)


@given(st.floats(0, 2000), st.floats(0, WHOLE))
def test_two_bounds_pick_the_best_quality_within_them(most_bytes, most_flops):
    within = [r for r in FRONT if r.validation.bytes <= most_bytes and r.validation.edge_flops <= most_flops]
    choice = Choice(max_bytes=most_bytes, max_edge_flops=most_flops)
    if within:
        assert choose(FRONT, choice, INFO).validation.quality == max(r.validation.quality for r in within)
    else:
        with pytest.raises(UserError, match="no member of the front has"):
            choose(FRONT, choice, INFO)


def test_quality_and_bytes_pick_the_fewest_edge_flops():
    chosen = choose(FRONT, Choice(min_quality=0.6, max_bytes=500), INFO)
    within = [r for r in FRONT if r.validation.quality >= 0.6 and r.validation.bytes <= 500]
    assert chosen.validation.edge_flops == min(r.validation.edge_flops for r in within)


@pytest.mark.parametrize("choice", [Choice(max_bytes=150), Choice(min_quality=0.6), Choice(max_edge_flops=2e7)])
def test_one_bound_leaves_a_balance_to_strike_so_the_knee_within_it_is_picked(choice):
    chosen = choose(FRONT, choice, INFO)
    (bound,) = choice.constraints()
    within = [r for r in FRONT if bound.violation(r.validation[bound.name]) <= 0]
    assert chosen == knee(within, INFO)


def test_the_knee_is_the_bulge_between_the_extremes():
    cloud, edge, poor = record(0, 0.9, 0, 20_000), record(1, 0.9, WHOLE, 0), record(2, 0.1, 0, 0)
    bulge, shallow = record(3, 0.85, WHOLE * 0.1, 40), record(4, 0.5, WHOLE * 0.5, 1000)
    assert knee([cloud, edge, poor, shallow, bulge], INFO) is bulge


def test_the_knee_of_one_or_of_equals_is_one_of_them():
    only = record(0, 0.5, 1, 1)
    assert knee([only], INFO) is only
    assert knee([only, record(1, 0.5, 1, 1)], INFO) is only


def test_a_bound_that_nothing_meets_names_the_closest_member():
    near, far = record(7, 0.70, 1e6, 10), record(8, 0.40, 1e6, 5)
    with pytest.raises(UserError, match=r"quality>=0.9; the closest is trial 7 with quality 0\.700: relax"):
        choose([far, near], Choice(min_quality=0.9), INFO)


def test_an_empty_front_offers_no_choice():
    with pytest.raises(UserError, match="the front is empty"):
        choose([], Choice(knee=True), INFO)


def test_a_choice_says_what_it_asks():
    assert str(Choice(knee=True, max_bytes=300)) == "knee, bytes<=300"
    assert Choice(max_bytes=0).asked
    assert not Choice().asked
