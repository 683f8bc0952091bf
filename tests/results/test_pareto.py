from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from synthetic_records import INFO, record

from deploy.errors import UserError
from results.pareto import closest_to_feasible, pareto_set, why_empty
from search_spaces.objective import Constraint

OBJECTIVES = INFO.objectives
few = st.integers(0, 4)
trials = st.lists(st.tuples(few, few, few), max_size=25).map(
    lambda rows: [record(n, q / 10, f, b) for n, (q, f, b) in enumerate(rows)]
)


def dominates(a, b):
    worse = a.validation.quality < b.validation.quality or any(
        a.validation[name] > b.validation[name] for name in ("edge_flops", "bytes")
    )
    return not worse and not same(a, b)


def same(a, b):
    return all(a.validation[name] == b.validation[name] for name in OBJECTIVES)


@given(trials)
def test_no_member_is_dominated_and_every_other_trial_is_beaten_or_a_repeat(records):
    members = pareto_set(records, OBJECTIVES)
    assert not any(dominates(other, member) for member in members for other in records)
    for other in records:
        if other not in members:
            assert any(dominates(m, other) or (same(m, other) and m.number < other.number) for m in members)


@given(trials)
def test_members_are_distinct_and_rise_in_bytes_then_flops(records):
    members = pareto_set(records, OBJECTIVES)
    costs = [(m.validation.bytes, m.validation.edge_flops) for m in members]
    assert costs == sorted(costs)
    assert not any(same(a, b) for a in members for b in members if a is not b)


@given(trials)
def test_the_front_of_the_front_is_the_front(records):
    members = pareto_set(records, OBJECTIVES)
    assert pareto_set(members, OBJECTIVES) == members


def test_infeasible_trials_neither_belong_nor_dominate():
    best, next_best = record(0, 0.9, 1, 1, feasible=False), record(1, 0.8, 2, 2)
    assert pareto_set([best, next_best], OBJECTIVES) == [next_best]


def test_anchors_and_search_trials_compete_together():
    anchor, trial = record(0, 0.9, 1, 1, kind="anchor"), record(1, 0.8, 2, 2)
    assert pareto_set([anchor, trial], OBJECTIVES) == [anchor]


def test_every_named_objective_decides():
    small = record(0, 0.5, 1, 1)
    frugal = replace(small, number=1, validation=replace(small.validation, edge_memory=1.0))
    assert pareto_set([small, frugal], OBJECTIVES) == [small]
    assert pareto_set([small, frugal], (*OBJECTIVES, "edge_memory")) == [frugal]


def test_an_unknown_objective_is_named_with_the_nearest():
    with pytest.raises(UserError, match=r"unknown objective 'qualty'.*did you mean 'quality'"):
        pareto_set([record(0, 0.5, 1, 1)], ("qualty",))


def test_the_closest_to_feasible_misses_its_bounds_by_the_smallest_share():
    bounds = [Constraint.parse("bytes<=100"), Constraint.parse("quality>=0.8")]
    close, far = record(3, 0.79, 1, 105), record(4, 0.9, 1, 400)
    assert closest_to_feasible([far, close], bounds) is close
    assert "the closest is trial 3 (bytes 105 where bytes<=100 is asked" in why_empty([far, close], bounds)
    assert "no trial has finished" in why_empty([], bounds)
