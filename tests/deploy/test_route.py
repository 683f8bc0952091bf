"""The gate's scores choose a route."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from deploy.route import Route, routes_at

ALL = (Route.EDGE, Route.FEATURES, Route.IMAGE)
SCORES = arrays(np.float32, st.tuples(st.integers(1, 20), st.just(2)), elements=st.floats(0, 1, width=32))


@given(SCORES, st.floats(0, 1))
def test_a_sample_takes_the_first_route_that_is_enough(scores: np.ndarray, threshold: float) -> None:
    for (edge, features), route in zip(scores.astype(float), routes_at(scores, threshold, ALL), strict=True):
        expected = Route.EDGE if edge <= threshold else Route.FEATURES if features <= threshold else Route.IMAGE
        assert route == expected


@given(SCORES, st.floats(0, 1), st.floats(0, 1))
def test_a_higher_threshold_keeps_more_on_the_edge(scores: np.ndarray, one: float, other: float) -> None:
    low, high = sorted((one, other))
    kept = [(routes_at(scores[:, :1], threshold, ALL[:2]) == Route.EDGE) for threshold in (low, high)]
    assert (kept[1] >= kept[0]).all()
