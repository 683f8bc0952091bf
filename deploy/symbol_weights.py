"""Symbol weights: how much each feature of the symbols coded so far counts in the lean and spread of the next.

Lean and spread are the linear predictions of a symbol's deviation and of its absolute value (ridge regression:
Hoerl and Kennard 1970), in small integers: only the order of the scores matters, so their scale is free.
"""

from __future__ import annotations

import numpy as np

from deploy.symbol_contexts import known

LARGEST = 127
"""The largest weight of a score, by absolute value."""
RIDGE = 0.03
"""What is added to every feature's variance, as a share of the features' mean variance."""


def fitted_weights(seen: np.ndarray, phase: int) -> np.ndarray:
    """Return the weights of one phase, int8 (C, 2, 2C), with 0 for every feature that is coded later.

    Args:
        seen: Features of training samples at the phase's positions, int32 (2, 2C, n, P).
        phase: 0, or 1 where a channel's own sides are known as well.
    """
    channels = seen.shape[1] // 2
    weights = np.zeros((channels, 2, 2 * channels), dtype=np.int8)
    for score, covariance in enumerate(map(_covariance, seen)):
        for channel, mask in enumerate(known(channels)[:, phase]):
            weights[channel, score, mask] = _predictor(covariance, np.flatnonzero(mask), channel)
    return weights


def _covariance(values: np.ndarray) -> np.ndarray:
    """Return the covariance of features (F, n, P), float64 (F, F); 0 without samples."""
    rows = values.reshape(len(values), values.shape[1] * values.shape[2]).astype(np.float64)
    number = max(rows.shape[1], 1)
    rows -= rows.sum(axis=1, keepdims=True) / number
    return np.asarray(rows @ rows.T / number)


def _predictor(covariance: np.ndarray, among: np.ndarray, target: int) -> np.ndarray:
    """Return the best linear predictor's coefficients, scaled so that the largest is ``LARGEST``."""
    inner = covariance[np.ix_(among, among)]
    if not inner.any():
        return np.zeros(len(among))
    ridge = RIDGE * np.trace(inner) / len(among)
    found = np.linalg.solve(inner + ridge * np.eye(len(among)), covariance[among, target])
    largest = np.abs(found).max()
    return np.rint(found / largest * LARGEST) if largest else found
