"""SymbolCodec: integer symbols to the fewest bytes and back, by range coding.

```
symbols (C, h, w) --channel after channel, phase after phase, context after context, under static tables-->
interval [low, low + width) --> shortest byte string
```

A symbol's context depends on earlier channels and phases alone (``symbol_contexts``), so a whole phase of a channel
is decoded at once.

The coder is constriction's (Bamler 2022, arXiv 2201.01741; range coding: Martin 1979). Its stack coder (ANS) costs
two to three bytes more a packet, because an empty stack wastes most of its first 24 bits.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator

import constriction
import numpy as np

from deploy.packet import PacketKind
from deploy.sample import Sample, arrays_of
from deploy.symbol_board import board_of
from deploy.symbol_contexts import deviations, scored
from deploy.symbol_models import SymbolModels
from deploy.symbol_stream import Ordered, read, written
from deploy.symbol_tables import SymbolTables


class SymbolCodec:
    """Codes symbol arrays of one shape under fixed tables."""

    def __init__(self, tables: SymbolTables, shape: tuple[int, int, int]) -> None:
        """Prepare the coder.

        Args:
            tables: One row a channel and context.
            shape: (C, h, w) of every sample.

        Raises:
            ValueError: the shape's channels are not the tables'.
        """
        if len(shape) != 3 or shape[0] != tables.channels:
            raise ValueError(f"symbols of shape {shape} do not fit tables of {tables.channels} channels")
        self.tables = tables
        self.shape = (int(shape[0]), int(shape[1]), int(shape[2]))
        self._models = SymbolModels(tables.frequencies)
        self._board = board_of(*self.shape[1:])
        self._deviations = deviations(np.arange(1 << tables.bits)[None], tables.rule.modes[:, None])
        self._first = np.arange(0, tables.channels * tables.contexts, tables.contexts)[:, None]
        self._steps = np.zeros(
            (shape[0], shape[1] * shape[2]), np.min_scalar_type(2 * tables.channels * tables.contexts)
        )
        for phase, field in enumerate(self._board.fields):
            self._steps[:, field] = 2 * self._first + phase * tables.contexts

    @property
    def kind(self) -> PacketKind:
        """Its packets carry symbols."""
        return PacketKind.SYMBOLS

    @property
    def fingerprint(self) -> int:
        """32 bits that tell these tables and this shape from others."""
        return zlib.crc32(repr(self.shape).encode(), self.tables.fingerprint)

    def encode(self, sample: Sample) -> bytes:
        """Return the payload of uint8 symbols (C, h, w).

        Raises:
            ValueError: another shape, or a symbol too large for the bit width.
        """
        (symbols,) = arrays_of(sample)
        return written([self], [self.ordered(symbols)])

    def decode(self, payload: bytes) -> np.ndarray:
        """Return the uint8 symbols (C, h, w) of a payload.

        Raises:
            PacketError: the payload is none that ``encode`` returns.
        """
        return read([self], payload)[0]

    def ordered(self, symbols: np.ndarray) -> Ordered:
        """Return uint8 symbols (C, h, w) as they are coded.

        Raises:
            ValueError: another shape, or a symbol too large for the bit width.
        """
        if symbols.shape != self.shape:
            raise ValueError(f"expected symbols of shape {self.shape}, got {symbols.shape}")
        if symbols.size and symbols.max() >= 1 << self.tables.bits:
            raise ValueError(f"symbol {symbols.max()} does not fit into {self.tables.bits} bits")
        contexts = self.tables.contexts_of(symbols[None]).reshape(self._steps.shape)
        order = (self._steps + contexts).argsort(axis=None, kind="stable")
        return Ordered(symbols.ravel()[order].astype(np.int32), (self._first + contexts).ravel()[order])

    def write(self, coder: constriction.stream.queue.RangeEncoder, ordered: Ordered) -> None:
        """Append symbols to what the coder holds."""
        self._models.encode(coder, *ordered)

    def read(self, coder: constriction.stream.queue.RangeDecoder) -> tuple[np.ndarray, Ordered]:
        """Return the next uint8 symbols (C, h, w), and as they were coded."""
        symbols = np.zeros(self.shape, dtype=np.uint8)
        steps = [*self._decoded(coder, symbols.reshape(len(symbols), self.shape[1] * self.shape[2]))]
        values, rows = (np.concatenate(each) for each in zip(*steps, strict=True))
        return symbols, Ordered(values, rows)

    def _decoded(
        self, coder: constriction.stream.queue.RangeDecoder, symbols: np.ndarray
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Fill in uint8 symbols (C, P); yield each phase's in the order that they are coded in, and their rows."""
        board, channels = self._board, len(symbols)
        seen = [np.zeros((2, 2 * channels, 1, len(field)), dtype=np.int32) for field in board.fields]
        framed = [np.zeros((2, len(field) + 1), dtype=np.int32) for field in board.fields]
        for channel, row in enumerate(symbols):
            far = self._deviations[:, channel]
            for phase, field in enumerate(board.fields):
                contexts = self._contexts(seen[phase], channel, phase)
                order = contexts.argsort(kind="stable")
                rows = contexts.take(order) + self._first[channel]
                values = self._models.decode(coder, rows)
                yield values, rows
                row[field.take(order)] = values
                framed[phase][:, :-1] = seen[phase][:, channel, 0] = far.take(row.take(field), axis=1)
                seen[1 - phase][:, channels + channel, 0] = board.sides(framed[phase], 1 - phase)

    def _contexts(self, seen: np.ndarray, channel: int, phase: int) -> np.ndarray:
        """Return the contexts of one phase: features int32 (2, 2C, 1, P) -> uint8 (P,)."""
        rule = self.tables.rule
        if rule.contexts == 1:
            return np.zeros(seen.shape[-1], dtype=np.uint8)
        scores = scored(seen, rule.weights[channel : channel + 1, phase])
        return rule.placed(scores, phase, slice(channel, channel + 1))[0, 0]
