"""Symbol contexts: what the symbols coded so far say of the symbol coded next.

```
deviation = symbol - its channel's mode
features  = deviations of every earlier channel at the position and, summed, at its four sides; where the channel's
            own sides are coded before (symbol_board), theirs too
lean      = sum of weight * feature                            which way the symbol is off its mode
spread    = the same of absolute deviations, other weights     how far
context   = grade of the spread among thresholds, then place of the lean among the thresholds of that grade
```

Context modelling as in CABAC (Marpe, Schwarz and Wiegand 2003), with static tables. Everything is an
integer, so edge and cloud find the same contexts on any machine.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from deploy.errors import UserError
from deploy.symbol_board import PHASES, SymbolBoard, board_of

MAX_GRADES = 8
"""Spreads are told apart in up to so many grades."""
MAX_PLACES = 3
"""Leans are told apart in up to so many places a grade."""
UNUSED = 2**31 - 1
"""A threshold that no score exceeds: 32 bits hold every score of up to 13 000 channels."""


@dataclass(frozen=True, eq=False)
class ContextRule:
    """Which context holds at a symbol, of A grades and B places.

    Attributes:
        modes: uint8 (C,), each channel's commonest symbol; a deviation counts how far symbols are from it.
        weights: int8 (C, 2, 2, 2C) by phase, score (lean, spread) and feature; 0 for what is coded later.
        spread: int32 (C, 2, A - 1), ascending thresholds; a phase whose first one is ``UNUSED`` has no contexts.
        lean: int32 (C, 2, A, B - 1), ascending thresholds of each grade.
    """

    modes: np.ndarray
    weights: np.ndarray
    spread: np.ndarray
    lean: np.ndarray

    def __post_init__(self) -> None:
        channels = len(self.modes)
        if self.modes.dtype != np.uint8 or self.modes.ndim != 1 or not channels:
            raise UserError("symbol contexts need one uint8 mode a channel; export the bundle again")
        if self.weights.dtype != np.int8 or self.weights.shape != (channels, PHASES, 2, 2 * channels):
            raise UserError(
                "symbol contexts need int8 weights (channels, 2, 2, 2 * channels); export the bundle again"
            )
        if (self.weights.any(axis=2) & ~known(channels)).any():
            raise UserError("symbol contexts have weights for what is coded later; export the bundle again")
        grades, places = (self.lean.shape[2], self.lean.shape[3] + 1) if self.lean.ndim == 4 else (0, 0)
        if not (1 <= grades <= MAX_GRADES and 1 <= places <= MAX_PLACES):
            raise UserError(f"symbol contexts have {grades} grades and {places} places; export the bundle again")
        for thresholds, shape in ((self.spread, (grades - 1,)), (self.lean, (grades, places - 1))):
            if thresholds.dtype != np.int32 or thresholds.shape != (channels, PHASES, *shape):
                raise UserError("symbol contexts need int32 thresholds of one shape; export the bundle again")
            if (thresholds[..., 1:] < thresholds[..., :-1]).any():
                raise UserError("symbol contexts need thresholds that ascend; export the bundle again")

    @classmethod
    def blank(cls, modes: np.ndarray, grades: int = 1, places: int = 1) -> ContextRule:
        """Return a rule with room for contexts that tells none apart: modes uint8 (C,)."""
        channels = len(modes)
        return cls(
            modes,
            np.zeros((channels, PHASES, 2, 2 * channels), dtype=np.int8),
            np.full((channels, PHASES, grades - 1), UNUSED, dtype=np.int32),
            np.full((channels, PHASES, grades, places - 1), UNUSED, dtype=np.int32),
        )

    @property
    def contexts(self) -> int:
        """How many contexts there are: 0 for none, then those of phase 0 and those of phase 1."""
        grades, places = self.lean.shape[2], self.lean.shape[3] + 1
        return 1 + PHASES * grades * places if grades > 1 else 1

    def numbers(self, phase: int) -> np.ndarray:
        """Return the contexts of a phase by grade and place, int64 (A, B)."""
        grades, places = self.lean.shape[2], self.lean.shape[3] + 1
        return 1 + np.arange(phase * grades * places, (phase + 1) * grades * places).reshape(grades, places)

    def contexts_of(self, symbols: np.ndarray) -> np.ndarray:
        """Return the context of every symbol: uint8 (n, C, h, w) -> uint8 (n, C, h, w)."""
        samples, channels, height, width = symbols.shape
        found = np.zeros((channels, samples, height * width), dtype=np.uint8)
        if self.contexts > 1:
            board = board_of(height, width)
            for phase, seen in enumerate(features(symbols, self.modes, board)):
                scores = scored(seen, self.weights[:, phase])
                found[..., board.fields[phase]] = self.placed(scores, phase, slice(None))
        return found.swapaxes(0, 1).reshape(symbols.shape)

    def placed(self, scores: np.ndarray, phase: int, channels: slice) -> np.ndarray:
        """Return the context that each lean and spread of a phase makes.

        Args:
            scores: int32 (2, k, n, P).
            phase: 0 or 1.
            channels: The k channels that the scores are of.

        Returns:
            uint8 (k, n, P).
        """
        spreads, leans, first, contexts = self._layout[phase]
        row = _exceeded(scores[1], spreads[:, channels]) + first[channels]
        return np.asarray(contexts.take(row) + _exceeded(scores[0], leans.take(row, axis=1)))

    @cached_property
    def _layout(self) -> list[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]]:
        """What ``placed`` looks up in each phase.

        Returns:
            Thresholds of the spread (A - 1, C, 1, 1); of the lean, by row of a channel and grade, (B - 1, C * A);
            each channel's first row (C, 1, 1); each row's first context, uint8 (C * A,).
        """
        channels, grades = len(self.modes), self.lean.shape[2]
        first, found = np.arange(0, channels * grades, grades)[:, None, None], []
        for phase in range(PHASES):
            spreads = np.ascontiguousarray(self.spread[:, phase].T)[..., None, None]
            leans = np.ascontiguousarray(self.lean[:, phase].reshape(channels * grades, -1).T)
            used = (self.spread[:, phase, :1] < UNUSED).astype(np.uint8)
            contexts = used * self.numbers(phase)[:, 0].astype(np.uint8)
            found.append((spreads, leans, first, contexts.ravel()))
        return found


def known(channels: int) -> np.ndarray:
    """Return which features are known when a channel's phase is coded, bool (C, 2, 2C)."""
    earlier, own = np.tri(channels, k=-1, dtype=bool), np.eye(channels, dtype=bool)
    return np.stack([np.hstack([earlier, earlier]), np.hstack([earlier, earlier | own])], axis=1)


def features(symbols: np.ndarray, modes: np.ndarray, board: SymbolBoard) -> list[np.ndarray]:
    """Return what scores are made of: the channels' deviations, then their sums over the four sides.

    Args:
        symbols: uint8 (n, C, h, w).
        modes: uint8 (C,).
        board: The positions h * w.

    Returns:
        For each phase int32 (2, 2C, n, P): of the deviations as they are, and of their absolute values.
    """
    flat = symbols.reshape(*symbols.shape[:2], symbols.shape[2] * symbols.shape[3]).swapaxes(0, 1)
    framed = []
    for field in board.fields:
        framed.append(np.zeros((2, *flat.shape[:2], len(field) + 1), dtype=np.int32))
        framed[-1][..., :-1] = deviations(flat.take(field, axis=-1), modes[:, None, None])
    return [
        np.concatenate([framed[phase][..., :-1], board.sides(framed[1 - phase], phase)], axis=1)
        for phase in range(PHASES)
    ]


def deviations(symbols: np.ndarray, modes: np.ndarray) -> np.ndarray:
    """Return symbols - modes and |symbols - modes|, int32 (2, ...)."""
    signed = symbols.astype(np.int32) - modes
    return np.stack([signed, np.abs(signed)])


def scored(seen: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return leans and spreads: features int32 (2, 2C, n, P), weights int8 (k, 2, 2C) -> int32 (2, k, n, P)."""
    # On integers einsum is several times as fast as a matrix product.
    return np.asarray(np.einsum("ksf,sfnp->sknp", weights.astype(np.int32), seen))


def _exceeded(scores: np.ndarray, thresholds: np.ndarray) -> np.ndarray:
    """Return how many thresholds each score exceeds: (...), (number, ...) -> uint8 (...)."""
    return np.asarray(np.add.reduce((scores > thresholds).view(np.uint8), axis=0, dtype=np.uint8))
