"""Confidence: how sure a model is of each answer, by every rule that its kind of answer allows."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from search_spaces.task import Prediction

SEEN = 0.2
"""Score from which a box is more than noise."""
SURE = 0.6
"""Score from which a box is no longer doubtful."""


def confidences(predictions: Sequence[Prediction]) -> dict[str, np.ndarray]:
    """Return each rule's confidence in every prediction, (n,) float64; more is surer.

    Classifications have one rule, the greatest probability (Hendrycks & Gimpel 2017, arXiv 1610.02136). Detections
    have three, as edge-cloud detectors use them: the best box's score, the mean score of boxes that are more than
    noise, and how few boxes are doubtful. Where nothing is found, the first two are 0.
    """
    if not predictions or "boxes" not in predictions[0]:
        return {"probability": _each(predictions, lambda scores: float(scores.max()))}
    return {"best": _each(predictions, _best), "mean": _each(predictions, _mean), "few": _each(predictions, _few)}


def _each(predictions: Sequence[Prediction], rule: Callable[[np.ndarray], float]) -> np.ndarray:
    return np.array([rule(prediction["scores"]) for prediction in predictions], dtype=np.float64)


def _best(scores: np.ndarray) -> float:
    return float(scores.max(initial=0.0))


def _mean(scores: np.ndarray) -> float:
    seen = scores[scores >= SEEN]
    return float(seen.mean()) if len(seen) else 0.0


def _few(scores: np.ndarray) -> float:
    return -float(((scores >= SEEN) & (scores < SURE)).sum())
