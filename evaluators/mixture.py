"""Mixture: two outcomes of one split as one: some samples are answered the one way, the others the other way."""

from __future__ import annotations

import numpy as np

from evaluators.outcome import Outcome


def mixture(first: Outcome, second: Outcome, chosen: np.ndarray) -> Outcome:
    """Return the outcome in which the chosen samples have the second's prediction and packet, the rest the first's.

    Quality is to be computed of what comes out: the mixture's mAP is no mean of the two.

    Args:
        first: One way to answer a split.
        second: The other way, on the same split.
        chosen: Whether each sample is answered the second way, bool (n,).

    Raises:
        ValueError: the three are not of the same samples.
    """
    samples = len(first.targets)
    if len(second.targets) != samples or chosen.shape != (samples,) or chosen.dtype != bool:
        raise ValueError(
            f"{samples} and {len(second.targets)} samples cannot be mixed by {chosen.dtype} of shape {chosen.shape}"
        )
    pairs = zip(first.predictions, second.predictions, chosen, strict=True)
    return Outcome(
        [other if taken else own for own, other, taken in pairs],
        first.targets,
        np.where(chosen, second.packet_bytes, first.packet_bytes),
    )
