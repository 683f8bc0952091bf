import hashlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from deploy.errors import UserError
from deploy.symbol_calibration import TOTAL, tables_of
from deploy.symbol_contexts import UNUSED
from deploy.symbol_tables import SymbolTables


def table(
    frequencies: list | np.ndarray, thresholds: list | None = None, modes: list | None = None
) -> SymbolTables:
    rows = np.asarray(frequencies, dtype=np.uint32)
    thresholds = [[]] * len(rows) if thresholds is None else thresholds
    modes = [0] * len(rows) if modes is None else modes
    return SymbolTables(rows, np.array(thresholds, dtype=np.int32), np.array(modes, dtype=np.uint8))


def one_table(symbols: np.ndarray, bits: int) -> SymbolTables:
    """Return the tables without contexts."""
    counts = (np.bincount(channel.ravel(), minlength=2**bits) for channel in symbols.swapaxes(0, 1))
    return table(np.stack([tables_of(row[None]) for row in counts]))


def scenes(samples: int, bits: int, alike: float, spread: float, seed: int, side: int = 8) -> np.ndarray:
    """Return symbols (samples, 4, side, side) whose channels are lively at the same positions."""
    rng, levels = np.random.default_rng(seed), 2**bits
    lively = np.exp(alike * rng.normal(size=(samples, 1, side, side)))
    latent = rng.laplace(0, spread * levels, (samples, 4, side, side)) * lively + levels // 2
    return np.clip(np.round(latent), 0, levels - 1).astype(np.uint8)


@settings(max_examples=60, deadline=None)
@given(st.data(), st.integers(1, 8), st.integers(1, 5))
def test_calibrated_rows_sum_to_the_total_and_keep_every_symbol_encodable(data, bits, channels):
    shape = (data.draw(st.integers(0, 3)), channels, 2, 3)
    symbols = data.draw(npst.arrays(np.uint8, shape, elements=st.integers(0, 2**bits - 1)))
    tables = SymbolTables.calibrate(symbols, bits)
    assert (tables.channels, tables.bits) == (channels, bits)
    assert tables.frequencies.min() >= 1
    assert (tables.frequencies.sum(axis=2) == TOTAL).all()


def test_cross_entropy_is_the_sum_of_the_symbols_information():
    tables = table([[[TOTAL // 2, TOTAL // 4, TOTAL // 8, TOTAL // 8]]])
    symbols = np.array([0, 1, 2, 3], dtype=np.uint8).reshape(1, 1, 2, 2)
    assert tables.cross_entropy_bits(symbols) == pytest.approx([1 + 2 + 3 + 3])


def test_a_context_is_how_many_thresholds_the_channels_before_exceed():
    half, rare = TOTAL // 2, TOTAL // 16
    one = [half, half // 2, half // 4, half // 4]
    tables = table(
        [[one] * 3, [one, one[::-1], [TOTAL - 3 * rare, rare, rare, rare]]], [[UNUSED] * 2, [0, 2]], [1, 0]
    )
    first = np.array([1, 2, 0, 3, 3], dtype=np.uint8)  # its activity around the mode 1 is 0, 1, 1, 2, 2
    second = np.array([0, 0, 0, 3, 3], dtype=np.uint8)
    symbols = np.stack([first, second]).reshape(1, 2, 1, 5)
    assert tables.contexts_of(symbols.reshape(1, 2, 5)).tolist() == [[[0] * 5, [0, 1, 1, 1, 1]]]
    assert tables.cross_entropy_bits(symbols) == pytest.approx([2 + 3 + 1 + 3 + 3 + 1 + 3 + 3 + 1 + 1])
    far = table(tables.frequencies, tables.thresholds.tolist(), [0, 0])
    assert far.contexts_of(symbols.reshape(1, 2, 5))[0, 1].tolist() == [1, 1, 0, 2, 2]


@pytest.mark.parametrize("bits", [2, 3, 4, 6])
def test_contexts_save_where_channels_are_lively_together(bits):
    symbols = scenes(400, bits, alike=1.2, spread=0.08, seed=bits)
    tables, alone = SymbolTables.calibrate(symbols[:250], bits), one_table(symbols[:250], bits)
    assert tables.contexts > 1
    with_contexts, without = (each.cross_entropy_bits(symbols[250:]).mean() for each in (tables, alone))
    assert with_contexts < 0.97 * without


@settings(max_examples=60, deadline=None)
@given(
    bits=st.integers(1, 8),
    samples=st.sampled_from([0, 1, 2, 7, 40, 200]),
    side=st.sampled_from([1, 2, 5, 8]),
    alike=st.sampled_from([0.0, 0.1, 0.3, 1.0]),
    spread=st.sampled_from([0.002, 0.02, 0.1, 1.0]),
    seed=st.integers(0, 2**31),
)
def test_contexts_never_cost_1_percent_on_unseen_samples(bits, samples, side, alike, spread, seed):
    symbols = scenes(samples + 200, bits, alike, spread, seed, side)
    training, held_out = symbols[:samples], symbols[samples:]
    with_contexts = SymbolTables.calibrate(training, bits).cross_entropy_bits(held_out).sum()
    assert with_contexts <= 1.01 * one_table(training, bits).cross_entropy_bits(held_out).sum() + 1


@pytest.mark.parametrize("bits", [1, 4, 8])
def test_channels_that_know_nothing_of_each_other_keep_one_table(bits):
    symbols = scenes(100, bits, alike=0.0, spread=0.1, seed=bits)
    assert np.array_equal(SymbolTables.calibrate(symbols, bits).frequencies, one_table(symbols, bits).frequencies)


def test_few_samples_of_wide_symbols_keep_one_table():
    symbols = scenes(4, 8, alike=0.5, spread=0.3, seed=0, side=4)
    assert SymbolTables.calibrate(symbols, 8).contexts == 1


def test_a_context_that_never_came_costs_what_the_channel_costs():
    counts = np.array([[90, 10], [0, 0], [10, 90]])
    rows = tables_of(counts)
    assert np.abs(rows[1].astype(int) - TOTAL // 2).max() <= 2
    assert rows[0][0] > 0.85 * TOTAL and rows[2][1] > 0.85 * TOTAL


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_cross_entropy_of_unseen_data_is_within_5_percent_of_its_own_entropy(bits):
    levels, rng = 2**bits, np.random.default_rng(bits)
    latent = rng.laplace((levels - 1) / 2, levels / 12, (600, 4, 8, 8))
    symbols = np.clip(np.round(latent), 0, levels - 1).astype(np.uint8)
    tables, held_out = SymbolTables.calibrate(symbols[:400], bits), symbols[400:]
    counts = np.stack([np.bincount(held_out[:, c].ravel(), minlength=levels) for c in range(4)])
    share = counts / counts.sum(axis=1, keepdims=True)
    entropy = -(counts * np.log2(np.where(share > 0, share, 1))).sum() / len(held_out)
    assert tables.cross_entropy_bits(held_out).mean() <= 1.05 * entropy


def test_a_channel_with_one_symbol_costs_next_to_nothing():
    tables = SymbolTables.calibrate(np.full((100, 1, 10, 10), 7, dtype=np.uint8), 4)
    assert tables.cross_entropy_bits(np.full((1, 1, 10, 10), 7, dtype=np.uint8))[0] < 0.1


LIVELY = SymbolTables.calibrate(scenes(60, 3, alike=1.5, spread=0.1, seed=0), 3)


def test_the_file_gives_the_same_tables(tmp_path):
    for tables in (LIVELY, SymbolTables.uniform(3, 8), SymbolTables.calibrate(np.zeros((2, 1, 4, 4), np.uint8), 1)):
        tables.save(tmp_path / "tables.npy")
        loaded = SymbolTables.load(tmp_path / "tables.npy")
        for name, array in tables.to_arrays().items():
            assert np.array_equal(loaded.to_arrays()[name], array)
            assert loaded.to_arrays()[name].dtype == array.dtype
        assert loaded.fingerprint == tables.fingerprint


def test_the_file_is_the_same_bytes_for_ever(tmp_path):
    ramp = (np.arange(64 * 2 * 16) ** 2 // 7 % 8).astype(np.uint8).reshape(64, 1, 4, 8)
    tables = SymbolTables.calibrate(np.concatenate([ramp, ramp], axis=1), 3)
    tables.save(tmp_path / "tables.npy")
    assert tables.contexts > 1
    assert hashlib.sha256((tmp_path / "tables.npy").read_bytes()).hexdigest()[:16] == "df974a15139844dc"


def test_arrays_of_any_integer_width_give_the_same_tables():
    wide = {name: array.astype(np.int64) for name, array in LIVELY.to_arrays().items()}
    assert SymbolTables.from_arrays(wide).fingerprint == LIVELY.fingerprint


def test_the_fingerprint_covers_everything():
    arrays, prints = LIVELY.to_arrays(), {LIVELY.fingerprint}
    for name in arrays:
        changed = {key: array.copy() for key, array in arrays.items()}
        if name == "frequencies":
            changed[name][0, 0, 0] += 1
            changed[name][0, 0, 1] -= 1
        else:
            changed[name].flat[-1] -= 1
        prints.add(SymbolTables.from_arrays(changed).fingerprint)
    assert len(prints) == 4


@pytest.mark.parametrize(
    "frequencies",
    [
        np.full((1, 1, 4), TOTAL // 4, dtype=np.int64),
        np.full((1, 4), TOTAL // 4, dtype=np.uint32),
        np.full((1, 1, 3), TOTAL // 3, dtype=np.uint32),
        np.full((1, 1, 4), TOTAL // 8, dtype=np.uint32),
        np.array([[[TOTAL, 0]]], dtype=np.uint32),
        np.zeros((0, 1, 4), dtype=np.uint32),
        np.zeros((1, 0, 4), dtype=np.uint32),
        np.full((1, 5, 4), TOTAL // 4, dtype=np.uint32),
    ],
)
def test_what_is_no_table_is_refused(frequencies):
    contexts = frequencies.shape[1] if frequencies.ndim == 3 else 1
    thresholds = np.zeros((len(frequencies), max(contexts - 1, 0)), dtype=np.int32)
    with pytest.raises(UserError, match="symbol tables"):
        SymbolTables(frequencies, thresholds, np.zeros(len(frequencies), dtype=np.uint8))


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("thresholds", [[1, 2]]),
        ("thresholds", [[1], [-1]]),
        ("thresholds", [[1], [2**31]]),
        ("thresholds", [[1.0], [2.0]]),
        ("modes", [0, 8]),
        ("modes", [0, 256]),
        ("modes", [0]),
        ("frequencies", [[[2**32] * 8] * 2] * 2),
    ],
)
def test_thresholds_and_modes_are_checked(name, wrong):
    rows = np.full((2, 2, 8), TOTAL // 8)
    right = {"frequencies": rows, "thresholds": np.array([[1], [2]]), "modes": np.array([0, 7])}
    SymbolTables.from_arrays(right)
    with pytest.raises(UserError, match="symbol tables"):
        SymbolTables.from_arrays(right | {name: np.array(wrong)})
    del right[name]
    with pytest.raises(UserError, match=f"lack their {name}"):
        SymbolTables.from_arrays(right)


def test_thresholds_that_descend_are_refused():
    with pytest.raises(UserError, match="ascend"):
        table(np.full((1, 3, 2), TOTAL // 2), [[2, 1]])


def test_a_file_without_tables_is_refused_and_nothing_in_it_is_run(tmp_path):
    path = tmp_path / "tables.npy"
    LIVELY.save(path)
    whole = path.read_bytes()
    for content in (b"", b"not numpy", b"PK\3\4 no zip either", whole[:-1], whole[:40]):
        path.write_bytes(content)
        with pytest.raises(UserError, match="symbol tables"):
            SymbolTables.load(path)
    for foreign in (np.array([{"a": 1}], dtype=object), np.full((1, 4), TOTAL // 4, dtype=np.uint32)):
        np.save(path, foreign, allow_pickle=True)
        with pytest.raises(UserError, match="symbol tables"):
            SymbolTables.load(path)


def test_symbols_too_large_for_the_bit_width_are_refused():
    with pytest.raises(ValueError, match="does not fit into 2 bits"):
        SymbolTables.calibrate(np.full((1, 1, 1, 1), 4, dtype=np.uint8), 2)
