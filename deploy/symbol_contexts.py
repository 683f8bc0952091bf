"""Symbol contexts: what the channels coded so far at a position say of the channel coded next.

```
activity[c] = sum over c' < c of |symbol[c'] - mode[c']|        how much has happened at this position
context[c]  = how many of channel c's thresholds the activity exceeds
```

Context modelling as in CABAC (Marpe, Schwarz and Wiegand 2003), with static tables. Everything is an integer, so
edge and cloud find the same contexts on any machine.
"""

from __future__ import annotations

import numpy as np

MAX_CONTEXTS = 4
UNUSED = 2**31 - 1
"""A threshold that no activity exceeds."""


def deviation(symbols: np.ndarray, mode: int | np.ndarray) -> np.ndarray:
    """Return |symbols - mode| as int32."""
    return np.abs(symbols.astype(np.int32) - np.asarray(mode, dtype=np.int32))


def contexts_of(activity: np.ndarray, thresholds: np.ndarray) -> np.ndarray:
    """Return how many of its thresholds each activity exceeds.

    Args:
        activity: int32, any shape.
        thresholds: int32 (..., K - 1), broadcast against ``activity`` with a last axis of one.
    """
    found = np.zeros(activity.shape, dtype=np.uint8)
    for column in np.moveaxis(thresholds, -1, 0):
        found += activity > column
    return found


def all_contexts(symbols: np.ndarray, modes: np.ndarray, thresholds: np.ndarray) -> np.ndarray:
    """Return the context of every symbol: uint8 (n, C, P), modes (C,), thresholds (C, K - 1) -> uint8 (n, C, P)."""
    reached = np.cumsum(deviation(symbols, modes[:, None]), axis=1, dtype=np.int32)
    activity = np.zeros_like(reached)
    activity[:, 1:] = reached[:, :-1]
    return contexts_of(activity, thresholds[:, None, :])
