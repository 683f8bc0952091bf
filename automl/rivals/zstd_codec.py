"""ZstdCodec: 8-bit features through Zstandard, without the bytes that every packet would share."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np
import zstandard

from deploy.packet import PacketError, PacketKind
from deploy.sample import Sample, arrays_of, sample_of

LEVEL = 19


class ZstdCodec:
    """Codes uint8 arrays of known shapes as one Zstandard frame.

    In the rival's favour neither the frame's magic number nor a length, checksum or dictionary's name is sent.

    Args:
        shapes: Of each array of a sample.
    """

    def __init__(self, shapes: Sequence[tuple[int, ...]]) -> None:
        self._shapes = [tuple(shape) for shape in shapes]
        self._sizes = [int(np.prod(shape)) for shape in self._shapes]

    @property
    def kind(self) -> PacketKind:
        """Its packets carry symbols."""
        return PacketKind.SYMBOLS

    @property
    def fingerprint(self) -> int:
        """32 bits that tell these shapes from others."""
        return zlib.crc32(repr(self._shapes).encode())

    def encode(self, sample: Sample) -> bytes:
        """Return the payload of uint8 arrays.

        Raises:
            ValueError: other shapes or another type.
        """
        arrays = arrays_of(sample)
        if [array.shape for array in arrays] != self._shapes or any(a.dtype != np.uint8 for a in arrays):
            raise ValueError(f"expected uint8 arrays of shapes {self._shapes}, got {[a.shape for a in arrays]}")
        raw = b"".join(np.ascontiguousarray(array).tobytes() for array in arrays)
        # A compressor must not be shared by threads, and a new one costs nothing.
        return zstandard.ZstdCompressor(compression_params=_parameters(len(raw))).compress(raw)

    def decode(self, payload: bytes) -> Sample:
        """Return the arrays of a payload.

        Raises:
            PacketError: the payload is none that ``encode`` returns.
        """
        size = sum(self._sizes)
        try:
            decompressor = zstandard.ZstdDecompressor(format=zstandard.FORMAT_ZSTD1_MAGICLESS)
            raw = decompressor.decompress(payload, max_output_size=max(size, 1))
        except zstandard.ZstdError as error:
            raise PacketError(f"packet is damaged: {error}") from None
        if len(raw) != size:
            raise PacketError(f"packet is damaged: it holds {len(raw)} of {size} symbols")
        parts = np.split(np.frombuffer(raw, np.uint8), np.cumsum(self._sizes)[:-1])
        return sample_of(part.reshape(shape) for part, shape in zip(parts, self._shapes, strict=True))


def _parameters(size: int) -> zstandard.ZstdCompressionParameters:
    return zstandard.ZstdCompressionParameters.from_level(
        LEVEL,
        source_size=size,
        format=zstandard.FORMAT_ZSTD1_MAGICLESS,
        write_content_size=0,
        write_checksum=0,
        write_dict_id=0,
    )
