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

from deploy.packet import PacketError, PacketKind
from deploy.symbol_board import board_of
from deploy.symbol_contexts import deviations, scored
from deploy.symbol_models import SymbolModels
from deploy.symbol_tables import SymbolTables

_WORD_BYTES = 4
_STATE_WORDS = 2
"""The encoder's state is the last 64 bits of the interval; the words before them are settled but for a carry."""
_STATE_BYTES = _WORD_BYTES * _STATE_WORDS


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

    def encode(self, symbols: np.ndarray) -> bytes:
        """Return the payload of uint8 symbols (C, h, w).

        Raises:
            ValueError: another shape, or a symbol too large for the bit width.
        """
        if symbols.shape != self.shape:
            raise ValueError(f"expected symbols of shape {self.shape}, got {symbols.shape}")
        if symbols.size and symbols.max() >= 1 << self.tables.bits:
            raise ValueError(f"symbol {symbols.max()} does not fit into {self.tables.bits} bits")
        contexts = self.tables.contexts_of(symbols[None]).reshape(self._steps.shape)
        order = (self._steps + contexts).argsort(axis=None, kind="stable")
        return self._coded(symbols.ravel()[order].astype(np.int32), (self._first + contexts).ravel()[order])

    def decode(self, payload: bytes) -> np.ndarray:
        """Return the uint8 symbols (C, h, w) of a payload.

        Raises:
            PacketError: the payload is none that ``encode`` returns.
        """
        padded = payload + bytes(-len(payload) % _WORD_BYTES)
        coder = constriction.stream.queue.RangeDecoder(np.frombuffer(padded, dtype=">u4").astype(np.uint32))
        symbols = np.zeros(self.shape, dtype=np.uint8)
        try:
            steps = [*self._decoded(coder, symbols.reshape(len(symbols), self.shape[1] * self.shape[2]))]
        except AssertionError:  # constriction's way to say that no encoder writes such words
            raise PacketError("packet is damaged: its payload is not decodable") from None
        # Any other byte string of the interval, and any cut one, decodes as well; only one of them is ever sent.
        values, rows = (np.concatenate(each) for each in zip(*steps, strict=True))
        if self._coded(values, rows) != payload:
            raise PacketError("packet is damaged: its payload is none that an encoder writes")
        return symbols

    def _coded(self, symbols: np.ndarray, rows: np.ndarray) -> bytes:
        coder = constriction.stream.queue.RangeEncoder()
        self._models.encode(coder, symbols, rows)
        return _shortest(coder)

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


def _shortest(coder: constriction.stream.queue.RangeEncoder) -> bytes:
    """Return the shortest byte string inside the encoder's interval; missing bytes count as zeros.

    The encoder's own ending is a whole number of words. Its output is a point of the interval, which gives the
    settled words; the state gives the interval's last 64 bits and its width.
    """
    settled, (low_end, width) = coder.pos()
    words = np.zeros(settled + _STATE_WORDS, dtype=">u4")
    sealed = coder.get_compressed()[: len(words)]
    words[: len(sealed)] = sealed
    point = int.from_bytes(words.tobytes(), "big")
    low = point - ((point - low_end) % (1 << 8 * _STATE_BYTES))
    for dropped in range(_STATE_BYTES, -1, -1):
        kept = -(-low >> 8 * dropped)
        if kept << 8 * dropped < low + width:
            return kept.to_bytes(words.nbytes - dropped, "big").rstrip(b"\0")
    raise AssertionError("an interval holds its own lower end")
