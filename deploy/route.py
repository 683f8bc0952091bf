"""Route: how a sample is answered, and which one the gate's scores choose.

```
scores (1,)   edge's harm <= threshold          -> the edge's answer
              else                              -> features, or the image
scores (2,)   edge's harm <= threshold          -> the edge's answer
              else features' harm <= threshold  -> features
              else                              -> the image
```
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum

import numpy as np


class Route(IntEnum):
    """How a sample is answered: on the edge, from its features, or from its compressed image."""

    EDGE = 0
    FEATURES = 1
    IMAGE = 2


def routes_at(scores: np.ndarray, threshold: float, routes: Sequence[Route]) -> np.ndarray:
    """Return the Route of each sample, int (n,): the first one whose answer is expected to be enough.

    Args:
        scores: The harm that each answer is expected to do, (n, answers): of every route but the last.
        threshold: The most harm that an answer may be expected to do.
        routes: Those on offer, the cheapest first.
    """
    enough = scores.astype(np.float64) <= threshold
    first = np.where(enough.any(axis=1), enough.argmax(axis=1), len(routes) - 1)
    return np.asarray(routes)[first]
