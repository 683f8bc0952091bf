"""The symbols of several tensors in one packet."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deploy.joint_codec import JointCodec, symbols_codec
from deploy.packet import PacketCodec, PacketError
from deploy.symbol_codec import SymbolCodec
from deploy.symbol_tables import SymbolTables

SHAPES = ((2, 4, 4), (3, 2, 2), (2, 1, 1))
sides = st.integers(0, 5)
shapes = st.lists(st.tuples(st.integers(1, 4), sides, sides), min_size=1, max_size=5)


def uniform(bits: int, given_shapes: tuple[tuple[int, int, int], ...] = SHAPES) -> list[SymbolTables]:
    return [SymbolTables.uniform(shape[0], bits) for shape in given_shapes]


def calibrated(seed: int, bits: int, given_shapes: list[tuple[int, int, int]]) -> tuple[list[SymbolTables], list]:
    """Return tables counted on lively symbols, and one more sample of them."""
    rng = np.random.default_rng(seed)
    drawn = [rng.binomial(2**bits - 1, rng.random(), (41, *shape)).astype(np.uint8) for shape in given_shapes]
    return [SymbolTables.calibrate(each[:40], bits) for each in drawn], [each[40] for each in drawn]


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), bits=st.integers(1, 8), given_shapes=shapes)
def test_what_is_decoded_is_what_was_encoded(seed, bits, given_shapes):
    tables, symbols = calibrated(seed, bits, given_shapes)
    codec = PacketCodec(JointCodec([SymbolCodec(*each) for each in zip(tables, given_shapes, strict=True)]))
    decoded = codec.decode(codec.encode(tuple(symbols)))
    assert all(np.array_equal(ours, theirs) for ours, theirs in zip(decoded, symbols, strict=True))


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), bits=st.integers(1, 8))
def test_one_tensor_alone_has_the_bytes_that_it_always_had(seed, bits):
    tables, (symbols,) = calibrated(seed, bits, [SHAPES[0]])
    alone = SymbolCodec(tables[0], SHAPES[0])
    assert JointCodec([alone]).encode(symbols) == alone.encode(symbols)
    assert isinstance(symbols_codec(tables, SHAPES[:1]), SymbolCodec)


def test_together_they_cost_less_than_apart():
    tables, symbols = calibrated(0, 3, list(SHAPES))
    apart = [SymbolCodec(*each) for each in zip(tables, SHAPES, strict=True)]
    together = JointCodec(apart).encode(tuple(symbols))
    assert len(together) <= sum(len(codec.encode(each)) for codec, each in zip(apart, symbols, strict=True))


def test_a_damaged_packet_is_refused():
    codec = PacketCodec(symbols_codec(uniform(4), SHAPES))
    packet = codec.encode(tuple(np.full(shape, 3, dtype=np.uint8) for shape in SHAPES))
    for wrong in (packet[:-1], packet + b"\1", packet[:3] + bytes([packet[3] ^ 1]) + packet[4:]):
        with pytest.raises(PacketError):
            codec.decode(wrong)


def test_tensors_in_another_order_are_another_bundles():
    tables = uniform(4)
    one, other = (PacketCodec(symbols_codec(tables[::step], SHAPES[::step])) for step in (1, -1))
    with pytest.raises(PacketError, match="another bundle"):
        other.decode(one.encode(tuple(np.ones(shape, dtype=np.uint8) for shape in SHAPES)))


def test_too_few_tensors_or_tables_are_refused():
    with pytest.raises(ValueError, match="shorter"):
        symbols_codec(uniform(4), SHAPES).encode((np.zeros(SHAPES[0], dtype=np.uint8),))
    with pytest.raises(ValueError, match="longer"):
        symbols_codec(uniform(4)[:2], SHAPES)
