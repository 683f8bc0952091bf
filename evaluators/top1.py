"""Top-1 accuracy of classifications, and its bootstrap."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from search_spaces.task import Prediction, Target


def top1(predictions: Sequence[Prediction], targets: Sequence[Target]) -> float:
    """Return the share of samples, 0 to 1, whose best-scored class is the labelled one."""
    return float(right(predictions, targets).mean())


def bootstrap_top1(predictions: Sequence[Prediction], targets: Sequence[Target], weights: np.ndarray) -> np.ndarray:
    """Return the top-1 of each resample, (r,); ``weights`` (r, n) counts each sample's copies."""
    shares: np.ndarray = weights @ right(predictions, targets) / np.maximum(weights.sum(axis=1), 1)
    return shares


def right(predictions: Sequence[Prediction], targets: Sequence[Target]) -> np.ndarray:
    """Return 1 for each sample whose best-scored class is the labelled one, else 0, float64 (n,)."""
    guessed = [int(prediction["scores"].argmax()) for prediction in predictions]
    labels = [int(target["label"]) for target in targets]
    return np.equal(guessed, labels).astype(np.float64)
