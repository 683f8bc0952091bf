"""Symbol stream: the symbols of one tensor after the other as one byte string, the shortest that says them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import constriction
import numpy as np

from deploy.packet import PacketError

_WORD_BYTES = 4
_STATE_WORDS = 2
"""The encoder's state is the last 64 bits of the interval; the words before them are settled but for a carry."""
_STATE_BYTES = _WORD_BYTES * _STATE_WORDS


class Ordered(NamedTuple):
    """A tensor's symbols in the order that they are coded in.

    Attributes:
        values: int32 (N,).
        rows: Each one's row of the tables, int (N,).
    """

    values: np.ndarray
    rows: np.ndarray


class TensorCoder(Protocol):
    """Codes the symbols of one tensor with a coder that others use before and after it."""

    def write(self, coder: constriction.stream.queue.RangeEncoder, ordered: Ordered) -> None:
        """Append symbols to what the coder holds."""
        ...

    def read(self, coder: constriction.stream.queue.RangeDecoder) -> tuple[np.ndarray, Ordered]:
        """Return the next uint8 symbols (C, h, w), and as they were coded."""
        ...


def written(coders: Sequence[TensorCoder], symbols: Sequence[Ordered]) -> bytes:
    """Return the payload of every tensor's symbols."""
    encoder = constriction.stream.queue.RangeEncoder()
    for coder, each in zip(coders, symbols, strict=True):
        coder.write(encoder, each)
    return _shortest(encoder)


def read(coders: Sequence[TensorCoder], payload: bytes) -> list[np.ndarray]:
    """Return every tensor's uint8 symbols (C, h, w) of a payload.

    Raises:
        PacketError: the payload is none that ``written`` returns.
    """
    padded = payload + bytes(-len(payload) % _WORD_BYTES)
    decoder = constriction.stream.queue.RangeDecoder(np.frombuffer(padded, dtype=">u4").astype(np.uint32))
    try:
        found = [coder.read(decoder) for coder in coders]
    except AssertionError:  # constriction's way to say that no encoder writes such words
        raise PacketError("packet is damaged: its payload is not decodable") from None
    # Any other byte string of the interval, and any cut one, decodes as well; only one of them is ever sent.
    if written(coders, [ordered for _, ordered in found]) != payload:
        raise PacketError("packet is damaged: its payload is none that an encoder writes")
    return [symbols for symbols, _ in found]


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
