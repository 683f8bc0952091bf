import hashlib
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deploy.packet import PacketCodec, PacketError
from deploy.symbol_codec import SymbolCodec
from deploy.symbol_contexts import UNUSED
from deploy.symbol_frequencies import PRECISION
from deploy.symbol_tables import SymbolTables


def laplacian(shape: tuple[int, ...], bits: int, seed: int = 0, spread: float = 0.08) -> np.ndarray:
    levels, rng = 2**bits, np.random.default_rng(seed)
    return np.clip(np.round(rng.laplace((levels - 1) / 2, spread * levels, shape)), 0, levels - 1).astype(np.uint8)


def lively(samples: int, shape: tuple[int, ...], bits: int, seed: int, spread: float = 0.08) -> np.ndarray:
    """Return symbols whose channels are lively at the same positions, so that contexts pay."""
    levels, rng = 2**bits, np.random.default_rng(seed)
    scale = np.exp(1.5 * rng.normal(size=(samples, 1, *shape[1:])))
    latent = np.round(rng.laplace(0, spread * levels, (samples, *shape)) * scale) + levels // 2
    return np.clip(latent, 0, levels - 1).astype(np.uint8)


def sides(plane: list[list[int]], y: int, x: int) -> int:
    """Return the sum of what lies above, below, left and right."""
    around = [(y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)]
    return sum(plane[v][u] for v, u in around if 0 <= v < len(plane) and 0 <= u < len(plane[0]))


def context_of(symbols: np.ndarray, tables: SymbolTables, channel: int, y: int, x: int) -> int:
    """Say again what context holds at a position, with Python's integers."""
    rule, phase = tables.rule, (y + x) % 2
    if tables.contexts == 1 or rule.spread[channel, phase, 0] == UNUSED:
        return 0
    off = symbols.astype(int) - rule.modes.astype(int)[:, None, None]
    known = range(channel + phase)
    scores = []
    for score, planes in enumerate((off.tolist(), abs(off).tolist())):
        weights = rule.weights[channel, phase, score].tolist()
        own = sum(weights[c] * planes[c][y][x] for c in range(channel))
        scores.append(own + sum(weights[len(planes) + c] * sides(planes[c], y, x) for c in known))
    grades, places = rule.lean.shape[2], rule.lean.shape[3] + 1
    grade = sum(scores[1] > threshold for threshold in rule.spread[channel, phase].tolist())
    place = sum(scores[0] > threshold for threshold in rule.lean[channel, phase, grade].tolist())
    return 1 + (phase * grades + grade) * places + place


def in_order(symbols: np.ndarray, tables: SymbolTables) -> Iterator[tuple[int, list[int]]]:
    """Say again, one symbol at a time, what is coded when: by channel, by phase, by context, by position."""
    channels, height, width = symbols.shape
    for channel in range(channels):
        coded = sorted(
            ((y + x) % 2, context_of(symbols, tables, channel, y, x), y, x)
            for y in range(height)
            for x in range(width)
        )
        for _, context, y, x in coded:
            yield int(symbols[channel, y, x]), tables.frequencies[channel, context].tolist()


def interval(symbols: np.ndarray, tables: SymbolTables) -> tuple[int, int, int]:
    """Range coding on integers alone, 64-bit state, 32-bit words: the low end, width and length in bits."""
    low, width, bits = 0, (1 << 64) - 1, 64
    for symbol, table in in_order(symbols, tables):
        scale = width >> PRECISION
        low, width = low + scale * sum(table[:symbol]), scale * table[symbol]
        if width < 1 << 32:
            low, width, bits = low << 32, width << 32, bits + 32
    return low, width, bits


@settings(max_examples=150, deadline=None)
@given(
    bits=st.integers(1, 8),
    shape=st.tuples(st.integers(1, 16), st.integers(1, 7), st.integers(1, 7)),
    seed=st.integers(0, 2**31),
    spread=st.sampled_from([0.001, 0.05, 0.3, 3.0]),
    foreign=st.booleans(),
    together=st.booleans(),
)
def test_decode_gives_back_what_was_encoded_within_2_percent_and_8_bytes(
    bits, shape, seed, spread, foreign, together
):
    training = lively(40, shape, bits, seed, spread) if together else laplacian((20, *shape), bits, seed, spread)
    tables = SymbolTables.calibrate(training, bits)
    symbols = laplacian(shape, bits, seed + 1, 5.0 if foreign else spread)
    packets = PacketCodec(SymbolCodec(tables, shape))
    packet = packets.encode(symbols)
    assert np.array_equal(packets.decode(packet), symbols)
    assert packets.decode(packet).dtype == np.uint8
    assert len(packet) <= 1.02 * tables.cross_entropy_bits(symbols[None])[0] / 8 + 8


@settings(max_examples=60, deadline=None)
@given(
    bits=st.integers(1, 8),
    shape=st.tuples(st.integers(1, 4), st.integers(1, 6), st.integers(1, 6)),
    seed=st.integers(0, 2**31),
)
def test_the_coder_uses_exactly_the_integer_tables(bits, shape, seed):
    """Nothing depends on float rounding: integer arithmetic on the tables alone finds the very same bytes."""
    tables = SymbolTables.calibrate(lively(60, shape, bits, seed), bits)
    symbols = laplacian(shape, bits, seed + 1)
    low, width, length = interval(symbols, tables)
    shortest = next(n for n in range(length // 8 + 1) if -(-low >> length - 8 * n) << length - 8 * n < low + width)
    expected = (-(-low >> length - 8 * shortest)).to_bytes(shortest, "big")
    assert SymbolCodec(tables, shape).encode(symbols) == expected


@pytest.mark.parametrize(
    ("bits", "shape", "contexts", "digest"),
    [
        (1, (8, 12, 12), 1, "acaf83f0dd7baf2f"),
        (4, (8, 12, 12), 49, "8c38237fa1320b56"),
        (8, (3, 5, 7), 49, "ff0c64ca4435cbe5"),
        (3, (12, 1, 1), 1, "804fe1c99cc64719"),
    ],
)
def test_packets_are_the_same_bytes_for_ever(bits, shape, contexts, digest):
    levels = 2**bits
    ramp = (np.arange(10 * np.prod(shape)) ** 2 // 7 % levels).astype(np.uint8).reshape(10, *shape)
    ramp[:, -1] = ramp[:, 0]  # the last channel repeats the first, so contexts pay
    tables = SymbolTables.calibrate(ramp // 2, bits)
    assert tables.contexts == contexts
    packets = PacketCodec(SymbolCodec(tables, shape))
    assert hashlib.sha256(b"".join(map(packets.encode, ramp))).hexdigest()[:16] == digest


def test_a_channel_of_one_symbol_is_free():
    constant = np.full((50, 4, 10, 10), 3, dtype=np.uint8)
    codec = SymbolCodec(SymbolTables.calibrate(constant, 4), (4, 10, 10))
    assert len(codec.encode(constant[0])) <= 1


def test_no_damage_makes_the_decoder_do_anything_but_refuse_or_answer():
    symbols = lively(40, (3, 6, 6), 3, 0)
    tables = SymbolTables.calibrate(symbols, 3)
    assert tables.contexts > 1
    packets = PacketCodec(SymbolCodec(tables, (3, 6, 6)))
    rng, accepted, tries = np.random.default_rng(0), 0, 0
    for sample in symbols:
        packet = packets.encode(sample)
        damaged = [packet[:cut] for cut in range(len(packet))] + [packet + b"\0", packet + b"\1", packet * 50]
        for _ in range(20):
            flipped = bytearray(packet)
            flipped[rng.integers(2, len(packet))] ^= 1 << rng.integers(8)
            damaged.append(bytes(flipped))
        for each in damaged:
            tries += 1
            try:
                assert packets.decode(each).shape == (3, 6, 6)
                accepted += 1
            except PacketError:
                pass
    assert accepted <= tries / 500


@pytest.mark.parametrize(
    "tables",
    [SymbolTables.uniform(2, 3), SymbolTables.calibrate(lively(200, (2, 3, 3), 3, 0), 3)],
    ids=["one", "many"],
)
@given(payload=st.binary(max_size=60))
@settings(max_examples=200, deadline=None)
def test_hostile_payloads_are_refused_or_are_canonical(tables, payload):
    codec = SymbolCodec(tables, (2, 3, 3))
    try:
        symbols = codec.decode(payload)
    except PacketError:
        return
    assert codec.encode(symbols) == payload


def test_symbols_of_another_shape_or_size_are_refused():
    codec = SymbolCodec(SymbolTables.uniform(2, 3), (2, 3, 3))
    with pytest.raises(ValueError, match="shape"):
        codec.encode(np.zeros((2, 3, 4), dtype=np.uint8))
    with pytest.raises(ValueError, match="3 bits"):
        codec.encode(np.full((2, 3, 3), 8, dtype=np.uint8))
    with pytest.raises(ValueError, match="channels"):
        SymbolCodec(SymbolTables.uniform(2, 3), (3, 3, 3))
