"""Symbol frequencies: counts to integer tables that every machine computes alike."""

from __future__ import annotations

import numpy as np

PRECISION = 24
"""log2 of what each row sums to; the precision of constriction's default coders."""
TOTAL = 1 << PRECISION
PRIOR = 8
"""How many symbols the channel's own table weighs in the table of a context."""


def tables_of(counts: np.ndarray) -> np.ndarray:
    """Return a table for each row of counts, (C, K, levels) -> uint32; what never came stays encodable.

    The channel's own table raises every symbol's count over all contexts by 1/levels (Perks' prior). It in turn
    counts as PRIOR symbols in every context, so a context with few samples comes close to it.

    Args:
        counts: int64, below 2**30 in sum for each channel.
    """
    whole = _apportioned(counts.sum(axis=1, keepdims=True) * counts.shape[2] + 1)
    rows = _apportioned((counts * TOTAL + PRIOR * whole) // (counts.sum(axis=2, keepdims=True) + PRIOR))
    several = (counts > 0).any(axis=2).sum(axis=1)[:, None, None] > 1
    return np.where(several, rows, whole).astype(np.uint32)


def _apportioned(weights: np.ndarray) -> np.ndarray:
    """Share TOTAL out in proportion to the last axis of weights that sum to less than 2**39, at least 1 each."""
    shares = 1 + weights * (TOTAL - weights.shape[-1]) // weights.sum(axis=-1, keepdims=True)
    largest = weights.argmax(axis=-1)[..., None]
    missing = TOTAL - shares.sum(axis=-1, keepdims=True)
    np.put_along_axis(shares, largest, np.take_along_axis(shares, largest, axis=-1) + missing, axis=-1)
    return shares
