"""JointCodec: the symbols of several tensors in one payload.

Tensor after tensor goes through one range coder, so there is no length between them and only one ending.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np

from deploy.packet import PacketKind, PayloadCodec
from deploy.sample import Sample, arrays_of
from deploy.symbol_codec import SymbolCodec
from deploy.symbol_stream import read, written
from deploy.symbol_tables import SymbolTables


class JointCodec:
    """Codes tuples of symbol arrays.

    Args:
        codecs: Each array's own.
    """

    def __init__(self, codecs: Sequence[SymbolCodec]) -> None:
        self.codecs = tuple(codecs)

    @property
    def kind(self) -> PacketKind:
        """Its packets carry symbols."""
        return PacketKind.SYMBOLS

    @property
    def fingerprint(self) -> int:
        """32 bits that tell these tables and these shapes from others."""
        return zlib.crc32(repr([codec.fingerprint for codec in self.codecs]).encode())

    def encode(self, sample: Sample) -> bytes:
        """Return the payload of uint8 symbols (C, h, w), one array a tensor.

        Raises:
            ValueError: another number of arrays or shape, or a symbol too large for the bit width.
        """
        pairs = zip(self.codecs, arrays_of(sample), strict=True)
        return written(self.codecs, [codec.ordered(symbols) for codec, symbols in pairs])

    def decode(self, payload: bytes) -> tuple[np.ndarray, ...]:
        """Return the uint8 symbols (C, h, w) of a payload, one array a tensor.

        Raises:
            PacketError: the payload is none that ``encode`` returns.
        """
        return tuple(read(self.codecs, payload))


def symbols_codec(tables: Sequence[SymbolTables], shapes: Sequence[tuple[int, int, int]]) -> PayloadCodec:
    """Return the codec of symbols: of an array, or of a tuple of them where several tensors are sent.

    Args:
        tables: Each tensor's.
        shapes: (C, h, w) of each tensor.

    Raises:
        ValueError: a shape's channels are not its tables'.
    """
    codecs = [SymbolCodec(*each) for each in zip(tables, shapes, strict=True)]
    return codecs[0] if len(codecs) == 1 else JointCodec(codecs)
