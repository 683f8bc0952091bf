"""SymbolBoard: the positions of a channel as a checkerboard, coded one colour after the other.

```
0 1 0 1      phase 0 first: the four sides of its positions are all of phase 1, and the other way round
1 0 1 0
```

(He et al. 2021, arXiv 2103.15306.)
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

PHASES = 2


@lru_cache(maxsize=16)
def board_of(height: int, width: int) -> SymbolBoard:
    """Return the board of h * w positions; laying it out takes longer than coding a channel."""
    return SymbolBoard(height, width)


class SymbolBoard:
    """Where the positions of each phase lie.

    Attributes:
        fields: Each phase's positions in a flat channel, ascending.
    """

    def __init__(self, height: int, width: int) -> None:
        """Lay out h * w positions."""
        row, column = np.divmod(np.arange(height * width), max(width, 1))
        self.fields = [np.flatnonzero((row + column) % PHASES == phase) for phase in range(PHASES)]
        self._sides = [self._neighbours(phase, height, width) for phase in range(PHASES)]

    def _neighbours(self, phase: int, height: int, width: int) -> list[np.ndarray]:
        """Return which of the other phase's positions lie on each side; beyond the edge, how many it has."""
        other = self.fields[1 - phase]
        framed = np.full((height + 2, width + 2), len(other))
        inside = framed[1:-1, 1:-1]
        inside[np.unravel_index(other, inside.shape)] = np.arange(len(other))
        around = (framed[:-2, 1:-1], framed[1:-1, :-2], framed[1:-1, 2:], framed[2:, 1:-1])
        return [side.ravel()[self.fields[phase]] for side in around]

    def sides(self, other: np.ndarray, phase: int) -> np.ndarray:
        """Return the sum over the four sides of a phase's positions.

        Args:
            other: The other phase's values and a last 0 for what lies beyond the edge, (..., P' + 1).
            phase: The phase whose sides are asked for.

        Returns:
            (..., P).
        """
        above, left, right, below = (other.take(side, axis=-1) for side in self._sides[phase])
        return np.asarray(above + left + right + below)
