"""Whether two sets of boxes are the same but for rounding."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np


def matched_boxes(
    first: Mapping[str, np.ndarray], second: Mapping[str, np.ndarray], pixels: float, score: float
) -> int:
    """Return how many boxes of one prediction have a partner of their own in the other.

    Partners have the same label, sides within ``pixels`` and scores within ``score``; the best scores choose first.
    """
    free = np.ones(len(second["scores"]), dtype=bool)
    matched = 0
    for index in np.argsort(-first["scores"], kind="stable"):
        off = np.abs(second["boxes"] - first["boxes"][index]).max(axis=1, initial=0.0)
        apart = np.abs(second["scores"] - first["scores"][index])
        partner = free & (second["labels"] == first["labels"][index]) & (off <= pixels) & (apart <= score)
        if partner.any():
            free[np.flatnonzero(partner)[np.argmin(off[partner])]] = False
            matched += 1
    return matched
