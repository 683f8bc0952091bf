"""Fitting: costs that explain measured seconds, none of them negative, by least squares of relative errors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
from scipy.optimize import nnls

from automl.profiling.programs import Chain
from evaluators.device import Rate

BLOCKS = (1, 4, 8, 16, 32)
"""How many channels vector units compute together: of 32-bit floats, NEON 4, AVX2 8, AVX-512 16."""
CLEARLY = 0.999
"""Larger blocks are taken only where they explain more."""
LEAST = 1e-15
"""Seconds a multiply-add or an element where none can be told from the calls."""


@dataclass(frozen=True)
class Ends:
    """Seconds of a chain besides its layers: fixed ones, and for each element that its ends read and write."""

    fixed: float
    element: float


def fitted(columns: Sequence[Sequence[float] | np.ndarray], seconds: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the cost of one of each column, (k,), and what of the relative errors is left.

    Args:
        columns: How much of each there is in every measurement, k times (n,).
        seconds: What every measurement took, (n,).
    """
    scaled = np.stack([np.asarray(column, float) for column in columns], axis=1) / seconds[:, None]
    # Columns differ by many powers of ten: they are brought to one scale before they are solved for.
    size = np.maximum(scaled.max(axis=0), 1e-300)
    costs, left = nnls(scaled / size, np.ones(len(seconds)))
    return costs / size, float(left)


def fitted_rate(chains: Sequence[Chain], seconds: np.ndarray) -> tuple[Rate, Ends]:
    """Return what operators of one kind cost, and what chains of them cost at their ends.

    Args:
        chains: All of one kind.
        seconds: What each took.
    """
    layers, ends = (np.array(each) for each in zip(*((c.layers, 2 * prod(c.shape)) for c in chains), strict=True))
    best, around, least = Rate(1.0, 0.0), Ends(0.0, 0.0), np.inf
    for block in BLOCKS if chains[0].operator.channels else (1,):
        work = layers * np.array([chain.operator.in_blocks(block) for chain in chains])
        (fixed, end, call, each), left = fitted([np.ones(len(chains)), ends, layers, work], seconds)
        if left < CLEARLY * least:
            best, around, least = Rate(1 / max(each, LEAST), call, block), Ends(fixed, end), left
    return best, around


def layout_rate(ends: Ends, run: float) -> Rate:
    """Return what a change of layout costs by what a chain of convolutions costs at its two ends.

    Args:
        ends: The chain's.
        run: Seconds to begin a program.
    """
    return Rate(2 / max(ends.element, LEAST), max(0.0, ends.fixed - run) / 2)
