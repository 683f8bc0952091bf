"""Answers: every route of every sample at once; a threshold picks, and its ends are the pure answers."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from automl.tasks.classification import ClassificationTask
from deploy.route import Route
from evaluators.answers import ALWAYS, NEVER, Answers
from evaluators.outcome import Outcome

SHARES = (0.0, 0.1, 0.5, 0.9, 1.0)


def answers(seed: int, count: int, dynamic: bool = False, ties: bool = False) -> Answers:
    rng = np.random.default_rng(seed)
    scores = rng.random((count, 2 if dynamic else 1)).astype(np.float32)
    targets = tuple({"label": torch.tensor(int(label))} for label in rng.integers(0, 3, count))
    routes = [Route.EDGE, Route.FEATURES, Route.IMAGE] if dynamic else [Route.EDGE, Route.FEATURES]
    return Answers(scores.round(1) if ties else scores, {route: _outcome(rng, route, targets) for route in routes})


def _outcome(rng: np.random.Generator, route: Route, targets: tuple) -> Outcome:
    count = len(targets)
    predictions = [{"scores": rng.random(3)} for _ in range(count)]
    sizes = np.zeros(count, int) if route == Route.EDGE else rng.integers(1, 100, count)
    return Outcome(predictions, targets, sizes, np.full(count, route))


@given(st.integers(0, 99), st.integers(1, 40), st.booleans())
def test_the_ends_are_the_pure_answers(seed: int, count: int, dynamic: bool) -> None:
    found = answers(seed, count, dynamic)
    kept, sent = found.at(NEVER), found.at(ALWAYS)
    edge, last = found.routes[Route.EDGE], list(found.routes.values())[-1]
    for mixed, pure in ((kept, edge), (sent, last)):
        assert mixed.predictions == pure.predictions
        assert (mixed.packet_bytes == pure.packet_bytes).all()
        assert (mixed.routes == pure.routes).all()


@given(st.integers(0, 99), st.integers(1, 40), st.sampled_from(SHARES))
def test_the_share_that_is_asked_for_is_offloaded(seed: int, count: int, share: float) -> None:
    found = answers(seed, count)
    outcome = found.at(found.threshold(share))
    assert (outcome.routes != Route.EDGE).sum() == count - round((1 - share) * count)


@given(st.integers(0, 99), st.integers(1, 40), st.sampled_from(SHARES))
def test_ties_are_never_offloaded_beyond_the_share(seed: int, count: int, share: float) -> None:
    found = answers(seed, count, ties=True)
    offloaded = (found.at(found.threshold(share)).routes != Route.EDGE).sum()
    assert offloaded <= count - round((1 - share) * count)


@given(st.integers(0, 99), st.integers(1, 40), st.sampled_from(SHARES))
def test_the_most_harmful_are_offloaded_first(seed: int, count: int, share: float) -> None:
    found = answers(seed, count)
    sent = found.at(found.threshold(share)).routes != Route.EDGE
    if sent.any() and not sent.all():
        assert found.scores[sent, 0].min() > found.scores[~sent, 0].max()


@pytest.mark.parametrize("dynamic", [False, True])
def test_the_quality_of_a_threshold_is_that_of_its_mixture(dynamic: bool) -> None:
    found, task = answers(5, 40, dynamic), ClassificationTask()
    thresholds = [ALWAYS, 0.2, 0.5, 0.8, NEVER]
    expected = [task.quality(o.predictions, o.targets) for o in map(found.at, thresholds)]
    assert len(set(expected)) > 2
    np.testing.assert_allclose(found.qualities(task, thresholds), expected)


@pytest.mark.parametrize("dynamic", [False, True])
def test_every_sample_has_the_answer_and_the_packet_of_its_route(dynamic: bool) -> None:
    found = answers(3, 30, dynamic)
    mixed = found.at(0.5)
    assert len(set(mixed.routes)) == (3 if dynamic else 2)
    for i, route in enumerate(mixed.routes):
        assert mixed.predictions[i] is found.routes[Route(route)].predictions[i]
        assert mixed.packet_bytes[i] == found.routes[Route(route)].packet_bytes[i]
    assert sum(mixed.share(route) for route in Route) == pytest.approx(1)
