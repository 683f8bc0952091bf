"""Program: what is computed for one sample, operator by operator, as a device's speed depends on it."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

KINDS = ("conv", "pointwise", "depthwise", "linear", "matmul", "elementwise", "layout")
"""fvcore's conv in three, for 1 x 1 and depthwise ones have speeds of their own; linear and addmm; bmm, matmul and
attention; what passes over tensors without multiply-adds; and what brings them into the layout in which
convolutions compute channels in blocks, and out of it."""
CONVOLUTIONS = KINDS[:3]


@dataclass(frozen=True)
class Operator:
    """One operator of a program, for one sample.

    Attributes:
        kind: One of ``KINDS``.
        work: Multiply-adds; of elementwise operators and layouts the elements that are read and written.
        channels: Channels in and out of a convolution, of a depthwise one its channels.
        passes: How many of the runtime's own operators it is.
    """

    kind: str
    work: int
    channels: tuple[int, ...] = ()
    passes: int = 1

    def in_blocks(self, block: int) -> float:
        """Return the work where channels are computed ``block`` at a time and the last block is filled up.

        Fewer channels in than a block, as of an image, are taken one by one.
        """
        *inside, out = self.channels or (1,)
        counted = [*(count for count in inside if count > block), *([out] if self.channels else [])]
        return self.work * prod(-(-count // block) * block / count for count in counted)


Program = tuple[Operator, ...]
"""Operators in the order in which they run."""
