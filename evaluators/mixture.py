"""Mixture: the quality of answers of which every sample has one of several, without matching each mixture anew."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from evaluators.outcome import Outcome
from search_spaces.task import Task


def mixed_qualities(task: Task, outcomes: Sequence[Outcome], taken: np.ndarray) -> np.ndarray:
    """Return the quality of each mixture, (r,), 0 to 1.

    A mixture is a resample of all outcomes together in which each sample occurs once; quality is that of what comes
    out, for a mixture's mAP is no mean of its parts'.

    Args:
        task: Knows the quality of resamples.
        outcomes: Ways to answer one split.
        taken: Which outcome each mixture takes for each sample, int (r, n).
    """
    weights = np.concatenate([taken == i for i in range(len(outcomes))], axis=1).astype(np.int64)
    predictions = [prediction for outcome in outcomes for prediction in outcome.predictions]
    targets = [target for outcome in outcomes for target in outcome.targets]
    return task.bootstrap(predictions, targets, weights)
