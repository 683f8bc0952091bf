"""The cheapest plain answer that is good enough is found by measuring few of them."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from automl.bisection import Bisection
from evaluators.measurement import Measurement
from results.record import Finalist, TrialRecord
from results.summary import QualityRule
from search_spaces.config import Config

MEASURED = Measurement(0.5, 1e6, 0.0, 0.0, 1.0, 1.0)
LOW = replace(MEASURED, quality=0.4)
CLOUD = TrialRecord(0, "anchor", Config(8, (4, 4), 4), MEASURED, seconds=1.0)
RULE = QualityRule(0.02, CLOUD)


def bisection(frontier: list[TrialRecord], others: list[TrialRecord] | None = None) -> Bisection:
    return Bisection(frontier, others or [], RULE, lambda record: record.number)


def measured_on_test(record: TrialRecord, good: bool) -> TrialRecord:
    gap = (-0.01, 0.01) if good else (-0.1, -0.05)
    return replace(record, finalist=Finalist(MEASURED, MEASURED, (0.4, 0.6), gap))


@given(st.integers(1, 40).flatmap(lambda size: st.tuples(st.just(size), st.integers(0, size))))
def test_the_cheapest_good_one_is_measured_and_so_is_the_one_below_it(case: tuple[int, int]) -> None:
    size, cheapest = case
    frontier = [replace(CLOUD, number=number, validation=LOW) for number in range(1, size + 1)]
    steps = 0
    while bisection(frontier).left:
        following = [each for each in bisection(frontier).members if each.finalist is None]
        assert len(following) == 1
        place = frontier.index(following[0])
        frontier[place] = measured_on_test(frontier[place], good=place >= cheapest)
        steps += 1
    assert steps <= size.bit_length()
    assert all(frontier[place].finalist for place in (cheapest - 1, cheapest) if 0 <= place < size)
    assert bisection(frontier).members == [each for each in frontier if each.finalist]


def test_one_that_validation_calls_good_is_measured_below_one_that_is_not() -> None:
    frontier = [replace(CLOUD, number=number, validation=MEASURED if number > 1 else LOW) for number in range(1, 6)]
    good = {3: False, 4: True, 2: True, 1: False}
    asked = []
    while bisection(frontier).left:
        (following,) = [each for each in bisection(frontier).members if each.finalist is None]
        asked.append(following.number)
        frontier[following.number - 1] = measured_on_test(following, good[following.number])
    assert asked == [3, 4, 2, 1]


def test_one_off_the_frontier_is_measured_where_it_is_cheaper_than_the_cheapest_good_one() -> None:
    tested = [measured_on_test(replace(CLOUD, number=number), good=number > 2) for number in (2, 6)]
    others = [replace(CLOUD, number=4), replace(CLOUD, number=5, validation=LOW), replace(CLOUD, number=7)]
    found = bisection(tested, others)
    assert found.left == 1
    assert [each.number for each in found.members] == [2, 6, 4]
    assert bisection(tested, [measured_on_test(others[0], good=False), *others[1:]]).left == 0
