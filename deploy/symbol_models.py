"""SymbolModels: a codec's tables in the form that constriction takes.

Its models are made from floats, but nothing depends on rounding. With ``perfect=False`` symbol i begins at
trunc(scale * (p_0 + ... + p_(i-1))) + i, where scale = (2**24 - levels) / (sum of p). Given p = frequency - 1
every partial sum is an integer below 2**24, exact in float32, and scale is exactly 1: no operation rounds, on any
machine.
"""

from __future__ import annotations

from itertools import pairwise

import constriction
import numpy as np

_FEW = 16
"""Symbols of up to so many levels are cheaper to code with each one's own probabilities than with a model a run."""
_EACH = constriction.stream.model.Categorical(lazy=True, perfect=False)


class SymbolModels:
    """Codes symbols, each under its row of the tables."""

    def __init__(self, frequencies: np.ndarray) -> None:
        """Prepare the models of uint32 (C, K, levels)."""
        levels = frequencies.shape[2]
        self._rows = (frequencies - 1).astype(np.float32).reshape(-1, levels)
        make = constriction.stream.model.Categorical
        self._models = [make(row, lazy=False, perfect=False) for row in self._rows] if levels > _FEW else []

    def encode(self, coder: constriction.stream.queue.RangeEncoder, symbols: np.ndarray, rows: np.ndarray) -> None:
        """Append symbols to what the coder holds.

        Args:
            coder: The encoder.
            symbols: int32 (N,).
            rows: int (N,), channel * K + context; equal ones side by side are coded at once.
        """
        if not self._models:
            coder.encode(symbols, _EACH, self._rows[rows])
            return
        for start, end in _runs(rows):
            coder.encode(symbols[start:end], self._models[rows[start]])

    def decode(self, coder: constriction.stream.queue.RangeDecoder, rows: np.ndarray) -> np.ndarray:
        """Return the next symbols, int32 (N,), given the rows that they were encoded under."""
        if not self._models:
            return np.asarray(coder.decode(_EACH, self._rows[rows]))
        parts = [coder.decode(self._models[rows[start]], end - start) for start, end in _runs(rows)]
        return np.concatenate([np.zeros(0, dtype=np.int32), *parts])


def _runs(rows: np.ndarray) -> list[tuple[int, int]]:
    """Return where equal rows that lie side by side start and end."""
    starts = np.flatnonzero(rows[1:] != rows[:-1]) + 1
    return list(pairwise([0, *starts.tolist(), len(rows)])) if len(rows) else []
