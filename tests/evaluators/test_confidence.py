"""Confidence: more is surer, by every rule of a kind of answer."""

from __future__ import annotations

import numpy as np
import pytest

from evaluators.confidence import confidences


def detection(*scores: float) -> dict[str, np.ndarray]:
    count = len(scores)
    return {"boxes": np.zeros((count, 4)), "scores": np.array(scores), "labels": np.zeros(count, np.int64)}


def test_a_classification_is_as_sure_as_its_greatest_probability() -> None:
    answers = [{"scores": np.array([0.1, 0.9])}, {"scores": np.array([0.6, 0.4])}]
    assert {rule: sure.tolist() for rule, sure in confidences(answers).items()} == {"probability": [0.9, 0.6]}


@pytest.mark.parametrize("rule", ["best", "mean", "few"])
def test_clear_boxes_are_surer_than_doubtful_ones(rule: str) -> None:
    clear, doubtful = confidences([detection(0.9, 0.8, 0.1), detection(0.5, 0.4, 0.3)])[rule]
    assert clear > doubtful


def test_noise_neither_lowers_the_mean_nor_is_doubtful() -> None:
    one, with_noise = (confidences([detection(*scores)]) for scores in ((0.9,), (0.9, 0.05, 0.1)))
    assert {rule: sure.tolist() for rule, sure in one.items()} == {
        rule: sure.tolist() for rule, sure in with_noise.items()
    }


def test_where_nothing_is_found_nothing_is_sure() -> None:
    found = confidences([detection()])
    assert (found["best"][0], found["mean"][0]) == (0.0, 0.0)
