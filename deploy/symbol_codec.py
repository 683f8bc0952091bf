"""SymbolCodec: integer symbols to the fewest bytes and back, by range coding.

```
symbols (C, h, w) --channel after channel, context after context, each under its static model-->
interval [low, low + width) --> shortest byte string
```

A symbol's context depends on earlier channels alone (``symbol_contexts``), so a whole channel is decoded at once.

The coder is constriction's (Bamler 2022, arXiv 2201.01741; range coding: Martin 1979). Its stack coder (ANS) costs
two to three bytes more a packet, because an empty stack wastes most of its first 24 bits. The models are made from
floats, but nothing depends on rounding: see ``_model``.
"""

from __future__ import annotations

import zlib

import constriction
import numpy as np

from deploy.packet import PacketError, PacketKind
from deploy.symbol_contexts import contexts_of, deviation
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
        self._models = [[_model(row) for row in channel] for channel in tables.frequencies]

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
        coder = constriction.stream.queue.RangeEncoder()
        rows = symbols.reshape(len(symbols), self.shape[1] * self.shape[2])
        groups = self.tables.contexts_of(rows[None])[0]
        for row, contexts, models in zip(rows.astype(np.int32), groups, self._models, strict=True):
            for context, model in enumerate(models):
                coder.encode(row[contexts == context], model)
        return _shortest(coder)

    def decode(self, payload: bytes) -> np.ndarray:
        """Return the uint8 symbols (C, h, w) of a payload.

        Raises:
            PacketError: the payload is none that ``encode`` returns.
        """
        padded = payload + bytes(-len(payload) % _WORD_BYTES)
        coder = constriction.stream.queue.RangeDecoder(np.frombuffer(padded, dtype=">u4").astype(np.uint32))
        try:
            symbols = self._decoded(coder).reshape(self.shape)
        except AssertionError:  # constriction's way to say that no encoder writes such words
            raise PacketError("packet is damaged: its payload is not decodable") from None
        # Any other byte string of the interval, and any cut one, decodes as well; only one of them is ever sent.
        if self.encode(symbols) != payload:
            raise PacketError("packet is damaged: its payload is none that an encoder writes")
        return symbols

    def _decoded(self, coder: constriction.stream.queue.RangeDecoder) -> np.ndarray:
        rows = np.zeros((self.shape[0], self.shape[1] * self.shape[2]), dtype=np.uint8)
        activity = np.zeros(rows.shape[1], dtype=np.int32)
        for row, models, thresholds, mode in zip(
            rows, self._models, self.tables.thresholds, self.tables.modes, strict=True
        ):
            contexts = contexts_of(activity, thresholds)
            for context, model in enumerate(models):
                mine = contexts == context
                row[mine] = coder.decode(model, int(mine.sum()))
            activity += deviation(row, mode)
        return rows


def _model(frequencies: np.ndarray) -> constriction.stream.model.Categorical:
    """Return constriction's model whose 24-bit weights are exactly ``frequencies``.

    With ``perfect=False`` symbol i begins at trunc(scale * (p_0 + ... + p_(i-1))) + i, where
    scale = (2**24 - levels) / (sum of p). Given p = frequencies - 1 every partial sum is an integer below 2**24,
    exact in float32, and scale is exactly 1: no operation rounds, on any machine.
    """
    return constriction.stream.model.Categorical((frequencies - 1).astype(np.float32), lazy=False, perfect=False)


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
