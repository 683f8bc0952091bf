"""Mean average precision of detections, and its bootstrap."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Sequence

import numpy as np
import torch

from evaluators.detection_matches import IOU_THRESHOLDS, match_detections
from search_spaces.task import Prediction, Target

RECALLS = torch.linspace(0, 1, 101).double().numpy()
"""COCO's 101 recall points, in torchmetrics' rounding."""


def mean_average_precision(predictions: Sequence[Prediction], targets: Sequence[Target]) -> float:
    """Return COCO's mAP over IoU 0.50:0.95, 0 to 1, by torchmetrics with the faster-coco-eval backend.

    Without any object in the targets the answer is 0.
    """
    # It takes as long to load as torch itself, and most commands measure nothing.
    from torchmetrics.detection import MeanAveragePrecision

    metric = MeanAveragePrecision(backend="faster_coco_eval")
    metric.warn_on_many_detections = False
    found = [{key: torch.from_numpy(value) for key, value in prediction.items()} for prediction in predictions]
    metric.update(found, [dict(target) for target in targets])
    with contextlib.redirect_stdout(io.StringIO()):
        answer = metric.compute()
    return max(0.0, float(answer["map"]))


def bootstrap_map(predictions: Sequence[Prediction], targets: Sequence[Target], weights: np.ndarray) -> np.ndarray:
    """Return the mAP of each resample, (r,), from matches that are computed once.

    Law: the answer for weights of 0, 1, 2, ... is ``mean_average_precision`` of the samples so repeated.

    Args:
        predictions: One prediction a sample.
        targets: Their targets.
        weights: How often each sample is in each resample, (r, n).
    """
    matches = match_detections(predictions, targets)
    objects = weights @ matches.objects
    precisions = np.full((len(weights), matches.objects.shape[1]), np.nan)
    for label in np.flatnonzero(matches.objects.sum(axis=0)):
        mine = matches.labels == label
        precisions[:, label] = _average_precision(
            matches.hits[mine], weights[:, matches.samples[mine]].astype(np.float64), objects[:, label]
        )
    present = ~np.isnan(precisions)
    total: np.ndarray = np.where(present, precisions, 0.0).sum(axis=1) / np.maximum(present.sum(axis=1), 1)
    return total


def _average_precision(hits: np.ndarray, weights: np.ndarray, objects: np.ndarray) -> np.ndarray:
    """Return one class's precision averaged over IoU thresholds and recalls, (r,); NaN where it has no object.

    Only hits are looked at: between two of them recall stands still and precision falls.

    Args:
        hits: (d, 10), best score first.
        weights: Each detection's weight in each resample, (r, d).
        objects: The class's objects in each resample, (r,).
    """
    detected = weights.cumsum(axis=1)
    total = np.zeros(len(weights))
    for threshold in range(len(IOU_THRESHOLDS)):
        at = np.flatnonzero(hits[:, threshold])
        true = weights[:, at].cumsum(axis=1)
        precision = true / np.maximum(detected[:, at], 1e-300)
        recall = true / np.maximum(objects, 1)[:, None]
        total += _area_under(recall, precision)
    return np.where(objects > 0, total / len(IOU_THRESHOLDS), np.nan)


def _area_under(recall: np.ndarray, precision: np.ndarray) -> np.ndarray:
    """Return the mean over COCO's recall points of the best precision at that recall or beyond, (r,)."""
    envelope = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    beyond = np.concatenate([envelope, np.zeros((len(envelope), 1))], axis=1)
    reached = np.stack([np.searchsorted(row, RECALLS, side="left") for row in recall])
    area: np.ndarray = np.take_along_axis(beyond, reached, axis=1).mean(axis=1)
    return area
