"""Bootstrap mAP equals the library's mAP on the samples that its weights repeat."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluators.detection_quality import bootstrap_map, mean_average_precision
from search_spaces.task import Prediction, Target


def scenes(seed: int, count: int, classes: int = 3) -> tuple[list[Prediction], list[Target]]:
    """Boxes near some objects, wrong classes, doubles and plain inventions, as a real detector answers."""
    rng = np.random.default_rng(seed)
    return zip(*(_scene(rng, classes) for _ in range(count)), strict=True)  # type: ignore[return-value]


def _scene(rng: np.random.Generator, classes: int) -> tuple[Prediction, Target]:
    objects = _boxes(rng, int(rng.integers(0, 6)))
    labels = rng.integers(0, classes, len(objects))
    near = np.repeat(objects, 2, axis=0) + rng.normal(0, 2, (2 * len(objects), 4))
    guesses = np.concatenate([np.sort(near.reshape(-1, 2, 2), axis=1).reshape(-1, 4), _boxes(rng, 3)])
    guessed = np.concatenate([np.repeat(labels, 2), rng.integers(0, classes, 3)])
    guessed = np.where(rng.random(len(guessed)) < 0.2, rng.integers(0, classes, len(guessed)), guessed)
    prediction = {"boxes": guesses.astype(np.float32), "scores": rng.random(len(guesses)).astype(np.float32)}
    target = {"boxes": torch.from_numpy(objects.astype(np.float32)), "labels": torch.from_numpy(labels)}
    return {**prediction, "labels": guessed}, target


def _boxes(rng: np.random.Generator, count: int) -> np.ndarray:
    corner = rng.uniform(0, 70, (count, 2))
    return np.concatenate([corner, corner + rng.uniform(6, 26, (count, 2))], axis=1)


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 20))
def test_unit_weights_give_the_librarys_map(seed: int, count: int) -> None:
    predictions, targets = scenes(seed, count)
    ours = bootstrap_map(predictions, targets, np.ones((1, count)))
    assert ours[0] == pytest.approx(mean_average_precision(predictions, targets), abs=1e-6)


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 10_000), st.lists(st.integers(0, 3), min_size=8, max_size=8).filter(any))
def test_a_weight_is_a_number_of_copies(seed: int, copies: list[int]) -> None:
    predictions, targets = scenes(seed, len(copies))
    repeated = [i for i, n in enumerate(copies) for _ in range(n)]
    expected = mean_average_precision([predictions[i] for i in repeated], [targets[i] for i in repeated])
    assert bootstrap_map(predictions, targets, np.array([copies]))[0] == pytest.approx(expected, abs=1e-6)


def test_perfect_detections_reach_one_and_silence_reaches_nought() -> None:
    _, targets = scenes(1, 10)
    perfect = [
        {
            "boxes": t["boxes"].numpy(),
            "labels": t["labels"].numpy(),
            "scores": np.ones(len(t["labels"]), np.float32),
        }
        for t in targets
    ]
    silent = [{key: value[:0] for key, value in p.items()} for p in perfect]
    assert mean_average_precision(perfect, targets) == pytest.approx(1.0)
    assert bootstrap_map(perfect, targets, np.ones((3, 10))) == pytest.approx(np.ones(3))
    assert mean_average_precision(silent, targets) == 0.0
    assert bootstrap_map(silent, targets, np.ones((2, 10))).tolist() == [0.0, 0.0]
