"""DetectionMatches: which detections find which objects, once for a split; every resample reads it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from search_spaces.task import Prediction, Target

IOU_THRESHOLDS = torch.linspace(0.5, 0.95, 10).double().numpy()
"""COCO's ten IoU thresholds, in torchmetrics' rounding."""
MOST_DETECTIONS = 100
"""Detections of one class that count in one sample, best first."""


@dataclass(frozen=True)
class DetectionMatches:
    """The detections of a split, best score first, after COCO's greedy matching within each sample and class.

    Attributes:
        samples: The sample of each detection, (d,).
        labels: The class of each detection, (d,).
        hits: Whether the detection finds an object at each IoU threshold, bool (d, 10).
        objects: Number of objects of each class in each sample, (n, K).
    """

    samples: np.ndarray
    labels: np.ndarray
    hits: np.ndarray
    objects: np.ndarray


def match_detections(predictions: Sequence[Prediction], targets: Sequence[Target]) -> DetectionMatches:
    """Match a split's predictions with its targets (Lin et al. 2014, arXiv 1405.0312, and its reference code)."""
    truths = [(t["boxes"].numpy(), t["labels"].numpy()) for t in targets]
    objects = _objects(predictions, [labels for _, labels in truths])
    found = [_matched(p, *truth) for p, truth in zip(predictions, truths, strict=True)]
    scores = np.concatenate([np.zeros(0), *(scores for scores, _, _ in found)])
    order = np.argsort(-scores, kind="stable")
    samples = np.repeat(np.arange(len(found)), [len(scores) for scores, _, _ in found])
    labels = np.concatenate([np.zeros(0, np.int64), *(labels for _, labels, _ in found)])
    hits = np.concatenate([np.zeros((0, len(IOU_THRESHOLDS)), bool), *(hits for _, _, hits in found)])
    return DetectionMatches(samples[order], labels[order], hits[order], objects)


def _objects(predictions: Sequence[Prediction], truths: Sequence[np.ndarray]) -> np.ndarray:
    seen = [*truths, *(p["labels"] for p in predictions)]
    classes = max((int(labels.max()) + 1 for labels in seen if len(labels)), default=0)
    counts = [np.bincount(labels, minlength=classes) for labels in truths]
    return np.array(counts, np.int64).reshape(len(truths), classes)


def _matched(
    prediction: Prediction, boxes: np.ndarray, labels: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return one sample's counted scores, their labels and their hits, best first."""
    order = np.argsort(-prediction["scores"], kind="stable")
    guessed = prediction["labels"][order]
    counted = _rank_in_class(guessed) < MOST_DETECTIONS
    order, guessed = order[counted], guessed[counted]
    overlap = _iou(prediction["boxes"][order], boxes) * (guessed[:, None] == labels[None])
    return prediction["scores"][order].astype(np.float64), guessed, _greedy(overlap)


def _rank_in_class(labels: np.ndarray) -> np.ndarray:
    same = labels[:, None] == labels[None]
    rank: np.ndarray = np.tril(same, -1).sum(axis=1)
    return rank


def _greedy(overlap: np.ndarray) -> np.ndarray:
    """Give each detection, best first, the free object that it overlaps most, at every threshold at once."""
    count, objects = overlap.shape
    hits = np.zeros((count, len(IOU_THRESHOLDS)), bool)
    if objects == 0:
        return hits
    free = np.ones((len(IOU_THRESHOLDS), objects), bool)
    thresholds = np.arange(len(IOU_THRESHOLDS))
    for detection in np.flatnonzero(overlap.max(axis=1) >= IOU_THRESHOLDS[0]):
        candidates = np.where(free, overlap[detection], -1.0)
        best = objects - 1 - candidates[:, ::-1].argmax(axis=1)
        hit = candidates[thresholds, best] >= IOU_THRESHOLDS
        hits[detection] = hit
        free[thresholds[hit], best[hit]] = False
    return hits


def _iou(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return the IoU (a, b) of boxes xyxy; sides are rounded to float32 as COCO's xywh boxes are."""
    a, b = first.astype(np.float32), second.astype(np.float32)
    side_a, side_b = (a[:, 2:] - a[:, :2]).astype(np.float64), (b[:, 2:] - b[:, :2]).astype(np.float64)
    corner_a, corner_b = a[:, :2].astype(np.float64), b[:, :2].astype(np.float64)
    high = np.minimum((corner_a + side_a)[:, None], (corner_b + side_b)[None])
    shared = (high - np.maximum(corner_a[:, None], corner_b[None])).clip(min=0).prod(axis=2)
    union = side_a.prod(axis=1)[:, None] + side_b.prod(axis=1)[None] - shared
    return np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
