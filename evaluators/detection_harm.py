"""Harm of detections, sample by sample: how far they are from the objects that are there."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from evaluators.detection_matches import match_detections
from search_spaces.task import Prediction, Target


def detection_harm(predictions: Sequence[Prediction], targets: Sequence[Target]) -> np.ndarray:
    """Return 1 - F1 of each sample, (n,) in 0..1, averaged over COCO's IoU thresholds.

    Each detection counts with its score, so that no threshold on it is needed: F1 is twice the summed scores of
    those that find an object, over all summed scores and the number of objects. Nothing found where nothing is does
    no harm.
    """
    scores = [np.sort(p["scores"].astype(np.float64))[::-1] for p in predictions]
    alone = [match_detections([p], [t]) for p, t in zip(predictions, targets, strict=True)]
    found = np.array([own[: len(m.hits)] @ m.hits.mean(axis=1) for own, m in zip(scores, alone, strict=True)])
    mass = np.array([own.sum() + m.objects.sum() for own, m in zip(scores, alone, strict=True)])
    return 1 - np.divide(2 * found, mass, out=np.ones_like(mass), where=mass > 0)
