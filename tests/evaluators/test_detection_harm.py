"""Harm of detections: nought where they are the objects, one where they are not."""

from __future__ import annotations

import numpy as np
import torch

from evaluators.detection_harm import detection_harm
from search_spaces.task import Prediction, Target

BOXES = np.array([[0, 0, 10, 10], [20, 20, 40, 30]], np.float32)
LABELS = np.array([1, 2])


def found(boxes: np.ndarray, labels: np.ndarray, score: float = 1.0) -> Prediction:
    return {"boxes": boxes, "labels": labels, "scores": np.full(len(labels), score, np.float32)}


def objects(count: int = 2) -> Target:
    return {"boxes": torch.from_numpy(BOXES[:count]), "labels": torch.from_numpy(LABELS[:count])}


def test_its_ends() -> None:
    nothing = found(BOXES[:0], LABELS[:0])
    predictions = [found(BOXES, LABELS), nothing, nothing, found(BOXES, LABELS), found(BOXES, LABELS + 1)]
    harms = detection_harm(predictions, [objects(), objects(), objects(0), objects(0), objects()])
    np.testing.assert_allclose(harms, [0, 1, 0, 1, 1], atol=1e-12)


def test_half_found_and_half_placed_lie_between_and_order_does_not_matter() -> None:
    shifted = BOXES + np.array([0, 0, 0, 3], np.float32)
    harms = detection_harm(
        [found(BOXES[:1], LABELS[:1]), found(shifted, LABELS), found(BOXES[::-1].copy(), LABELS[::-1].copy())],
        [objects()] * 3,
    )
    assert 0 < harms[0] < 1 and 0 < harms[1] < 1
    np.testing.assert_allclose(harms[0], 1 - 2 / 3)
    np.testing.assert_allclose(harms[2], 0, atol=1e-12)


def test_an_unsure_false_alarm_does_less_harm() -> None:
    extra = np.array([[50, 50, 60, 60]], np.float32)
    unsure, sure = (
        {
            "boxes": np.concatenate([BOXES, extra]),
            "labels": np.append(LABELS, 0),
            "scores": np.array([1, 1, score], np.float32),
        }
        for score in (0.1, 0.9)
    )
    low, high = detection_harm([unsure, sure], [objects()] * 2)
    assert 0 < low < high
