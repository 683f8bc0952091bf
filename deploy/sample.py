"""Sample: what one packet carries: an array, or a tuple of them where several tensors cross the split point."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

Sample = np.ndarray | tuple[np.ndarray, ...]


def arrays_of(sample: Sample) -> tuple[np.ndarray, ...]:
    """Return the arrays of a sample."""
    return sample if isinstance(sample, tuple) else (sample,)


def sample_of(arrays: Iterable[np.ndarray]) -> Sample:
    """Return the sample that consists of arrays: the inverse of ``arrays_of``."""
    every = tuple(arrays)
    return every[0] if len(every) == 1 else every
