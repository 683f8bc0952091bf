"""Boxes: what every detector's decoder does with them in numpy."""

from __future__ import annotations

import numpy as np


def sigmoid(logits: np.ndarray) -> np.ndarray:
    """Return 1 / (1 + exp(-logits)), float32, same shape."""
    # exp of -|x| cannot overflow.
    small = np.exp(-np.abs(logits))
    return np.where(logits >= 0, 1 / (1 + small), small / (1 + small)).astype(np.float32)


def best_above(scores: np.ndarray, threshold: float, most: int) -> np.ndarray:
    """Return where scores (n,) are above a threshold, best first, at most ``most`` of them."""
    above = np.flatnonzero(scores > np.float32(threshold))
    return above[np.argsort(-scores[above], kind="stable")[:most]]


def suppressed(
    boxes: np.ndarray, scores: np.ndarray, labels: np.ndarray, threshold: float, most: int
) -> np.ndarray:
    """Return what non-maximum suppression within each class leaves, best first, at most ``most`` of it.

    Args:
        boxes: (n, 4) xyxy.
        scores: (n,).
        labels: (n,).
        threshold: A box that overlaps a better one of its class by more (IoU) is dropped.
        most: How many are kept.
    """
    order = np.argsort(-scores, kind="stable")
    members = [order[labels[order] == label] for label in np.unique(labels)]
    kept = [each[_survivors(boxes[each], threshold)] for each in members]
    indices = np.sort(np.concatenate([np.zeros(0, dtype=np.int64), *kept]))
    return indices[np.argsort(-scores[indices], kind="stable")[:most]]


def _survivors(boxes: np.ndarray, threshold: float) -> np.ndarray:
    """Return which boxes (n, 4), best first, overlap no better survivor."""
    alive = np.ones(len(boxes), dtype=bool)
    for index in range(len(boxes)):
        if alive[index]:
            alive[index + 1 :] &= _iou(boxes[index], boxes[index + 1 :]) <= threshold
    return alive


def _iou(box: np.ndarray, others: np.ndarray) -> np.ndarray:
    corner, opposite = np.maximum(box[:2], others[:, :2]), np.minimum(box[2:], others[:, 2:])
    shared = np.clip(opposite - corner, 0, None).prod(axis=1)
    union = (box[2:] - box[:2]).prod() + (others[:, 2:] - others[:, :2]).prod(axis=1) - shared
    return np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
