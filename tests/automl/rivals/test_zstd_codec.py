"""Zstandard packets give back the very symbols that were sent, and nothing else is taken for one."""

from __future__ import annotations

import numpy as np
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from automl.rivals.zstd_codec import LEVEL, ZstdCodec
from deploy.packet import HEADER_BYTES, PacketCodec, PacketError
from deploy.sample import arrays_of, sample_of

SHAPES = st.lists(st.tuples(*[st.integers(1, 5)] * 3), min_size=1, max_size=3)


def drawn(shapes: list[tuple[int, int, int]], levels: int, seed: int) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [rng.integers(0, levels, shape).astype(np.uint8) for shape in shapes]


@given(SHAPES, st.sampled_from([1, 2, 256]), st.integers(0, 99))
def test_what_arrives_is_what_was_sent(shapes: list[tuple[int, int, int]], levels: int, seed: int) -> None:
    arrays = drawn(shapes, levels, seed)
    codec = PacketCodec(ZstdCodec(shapes))
    again = arrays_of(codec.decode(codec.encode(sample_of(arrays))))
    assert len(again) == len(arrays)
    assert all((one == other).all() for one, other in zip(again, arrays, strict=True))


def test_no_byte_is_charged_that_every_packet_shares() -> None:
    (symbols,) = drawn([(16, 8, 8)], 4, 0)
    ordinary = zstandard.ZstdCompressor(level=LEVEL).compress(symbols.tobytes())
    assert len(ZstdCodec([symbols.shape]).encode(symbols)) <= len(ordinary) - 4
    assert len(PacketCodec(ZstdCodec([symbols.shape])).encode(symbols)) <= len(ordinary) - 4 + HEADER_BYTES


@pytest.mark.parametrize("spoil", [lambda p: p[: len(p) // 2], lambda p: b"\xff" * len(p)])
def test_what_is_no_payload_is_refused(spoil) -> None:
    (symbols,) = drawn([(4, 8, 8)], 256, 0)
    codec = ZstdCodec([symbols.shape])
    with pytest.raises(PacketError, match="packet is damaged"):
        codec.decode(spoil(codec.encode(symbols)))
    with pytest.raises(PacketError, match="256 of 512 symbols"):
        ZstdCodec([(8, 8, 8)]).decode(codec.encode(symbols))


def test_other_shapes_and_types_are_refused() -> None:
    codec = ZstdCodec([(2, 2, 2)])
    for wrong in (np.zeros((2, 2, 1), np.uint8), np.zeros((2, 2, 2), np.int64)):
        with pytest.raises(ValueError, match="expected uint8 arrays"):
            codec.encode(wrong)
