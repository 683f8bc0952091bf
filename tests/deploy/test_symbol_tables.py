import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from deploy.errors import UserError
from deploy.symbol_tables import TOTAL, SymbolTables


@settings(max_examples=60, deadline=None)
@given(st.data(), st.integers(1, 8), st.integers(1, 5))
def test_calibrated_rows_sum_to_the_total_and_keep_every_symbol_encodable(data, bits, channels):
    shape = (data.draw(st.integers(0, 3)), channels, 2, 3)
    symbols = data.draw(npst.arrays(np.uint8, shape, elements=st.integers(0, 2**bits - 1)))
    tables = SymbolTables.calibrate(symbols, bits)
    assert (tables.channels, tables.bits) == (channels, bits)
    assert tables.frequencies.min() >= 1
    assert (tables.frequencies.sum(axis=1) == TOTAL).all()


def test_cross_entropy_is_the_sum_of_the_symbols_information():
    tables = SymbolTables(np.array([[TOTAL // 2, TOTAL // 4, TOTAL // 8, TOTAL // 8]], dtype=np.uint32))
    symbols = np.array([0, 1, 2, 3], dtype=np.uint8).reshape(1, 1, 2, 2)
    assert tables.cross_entropy_bits(symbols) == pytest.approx([1 + 2 + 3 + 3])


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


def test_the_file_gives_the_same_tables(tmp_path):
    tables = SymbolTables.calibrate(np.random.default_rng(0).integers(0, 8, (9, 3, 4, 4), dtype=np.uint8), 3)
    tables.save(tmp_path / "tables.npy")
    loaded = SymbolTables.load(tmp_path / "tables.npy")
    assert np.array_equal(loaded.frequencies, tables.frequencies)
    assert loaded.fingerprint == tables.fingerprint


@pytest.mark.parametrize(
    "table",
    [
        np.full((1, 4), TOTAL // 4, dtype=np.int64),
        np.full((1, 3), TOTAL // 3, dtype=np.uint32),
        np.full((1, 4), TOTAL // 8, dtype=np.uint32),
        np.array([[TOTAL, 0]], dtype=np.uint32),
        np.zeros((0, 4), dtype=np.uint32),
    ],
)
def test_what_is_no_table_is_refused(table):
    with pytest.raises(UserError):
        SymbolTables(table)


def test_a_file_without_tables_is_refused_and_nothing_in_it_is_run(tmp_path):
    path = tmp_path / "tables.npy"
    for content in (b"", b"not numpy"):
        path.write_bytes(content)
        with pytest.raises(UserError, match="symbol tables"):
            SymbolTables.load(path)
    np.save(path, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(UserError, match="symbol tables"):
        SymbolTables.load(path)


def test_symbols_too_large_for_the_bit_width_are_refused():
    with pytest.raises(ValueError, match="does not fit into 2 bits"):
        SymbolTables.calibrate(np.full((1, 1, 1, 1), 4, dtype=np.uint8), 2)
