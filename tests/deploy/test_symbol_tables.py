import hashlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from deploy.errors import UserError
from deploy.symbol_contexts import UNUSED, ContextRule, known
from deploy.symbol_frequencies import TOTAL, tables_of
from deploy.symbol_tables import SymbolTables


def table(frequencies: list | np.ndarray, **rule: list) -> SymbolTables:
    """Return tables of a rule that is blank but for the arrays given."""
    blank = SymbolTables.uniform(len(frequencies), 1).to_arrays()
    given = {"frequencies": frequencies, **rule}
    return SymbolTables.from_arrays(blank | {name: np.asarray(array) for name, array in given.items()})


def one_table(symbols: np.ndarray, bits: int) -> SymbolTables:
    """Return the tables without contexts."""
    counts = (np.bincount(channel.ravel(), minlength=2**bits) for channel in symbols.swapaxes(0, 1))
    return table(tables_of(np.stack(list(counts))[:, None]))


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


def lent(rule: list[tuple[int, int, int, int, int]], channels: int) -> np.ndarray:
    """Return weights (channel, phase, score, feature, weight), 0 elsewhere."""
    weights = np.zeros((channels, 2, 2, 2 * channels), dtype=np.int8)
    for *at, weight in rule:
        weights[tuple(at)] = weight
    return weights


def test_a_context_is_the_spreads_grade_and_the_leans_place_in_it():
    """The second channel: its spread is how far the first one is off its mode 1, its lean how far to which side."""
    weights = lent([(1, phase, score, 0, 2) for phase in range(2) for score in range(2)], 2)
    spread = [[[UNUSED]] * 2, [[2], [2]]]
    lean = [[[[UNUSED]] * 2] * 2, [[[-1], [0]], [[-1], [0]]]]
    tables = table(np.full((2, 9, 4), TOTAL // 4), modes=[1, 0], weights=weights, spread=spread, lean=lean)
    symbols = np.array([[1, 0, 3, 1, 0, 3, 2, 2], [0] * 8], dtype=np.uint8).reshape(1, 2, 1, 8)
    assert tables.contexts_of(symbols)[0, 0].tolist() == [[0] * 8]
    assert tables.contexts_of(symbols)[0, 1].tolist() == [[2, 5, 4, 6, 1, 8, 2, 6]]


def test_in_phase_1_a_channel_knows_its_own_sides():
    weights = lent([(0, 1, score, 1, 1) for score in range(2)], 1)
    spread, lean = [[[UNUSED] * 2, [0, 2]]], np.zeros((1, 2, 3, 0), dtype=int)
    tables = table(np.full((1, 7, 4), TOTAL // 4), weights=weights, spread=spread, lean=lean)
    symbols = np.array([[0, 3, 1], [3, 2, 3], [0, 3, 0]], dtype=np.uint8).reshape(1, 1, 3, 3)
    assert tables.contexts_of(symbols)[0, 0].tolist() == [[0, 6, 0], [5, 0, 6], [0, 5, 0]]


@settings(max_examples=60, deadline=None)
@given(shape=st.tuples(st.integers(1, 4), st.integers(1, 5), st.integers(1, 5)), seed=st.integers(0, 2**31))
def test_a_context_depends_on_nothing_that_is_coded_later(shape, seed):
    channels, height, width = shape
    rng = np.random.default_rng(seed)
    weights = rng.integers(-127, 128, (channels, 2, 2, 2 * channels)) * known(channels)[:, :, None]
    spread, lean = rng.integers(-999, 999, (channels, 2, 7)), rng.integers(-999, 999, (channels, 2, 8, 2))
    rule = {"weights": weights, "spread": np.sort(spread), "lean": np.sort(lean)}
    tables = table(np.full((channels, 49, 8), TOTAL // 8), modes=rng.integers(0, 8, channels), **rule)
    symbols = rng.integers(0, 8, (1, *shape)).astype(np.uint8)
    channel, y, x = (int(rng.integers(side)) for side in shape)
    before = tables.contexts_of(symbols)
    later = np.zeros(shape, dtype=bool)
    later[channel + 1 :] = True
    later[channel] = np.add.outer(np.arange(height), np.arange(width)) % 2 >= (y + x) % 2
    symbols[:, later] = rng.integers(0, 8, later.sum())
    assert tables.contexts_of(symbols)[0, channel, y, x] == before[0, channel, y, x]


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
def test_symbols_that_know_nothing_of_each_other_keep_one_table(bits):
    symbols = scenes(100, bits, alike=0.0, spread=0.1, seed=bits)
    assert np.array_equal(SymbolTables.calibrate(symbols, bits).frequencies, one_table(symbols, bits).frequencies)


def test_few_samples_of_wide_symbols_keep_one_table():
    symbols = scenes(4, 8, alike=0.5, spread=0.3, seed=0, side=4)
    assert SymbolTables.calibrate(symbols, 8).contexts == 1


def test_a_context_that_never_came_costs_what_the_channel_costs():
    rows = tables_of(np.array([[[90, 10], [0, 0], [10, 90]]]))[0]
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


LIVELY = SymbolTables.calibrate(scenes(60, 3, alike=1.5, spread=0.1, seed=0).repeat(2, axis=1), 3)


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
    assert hashlib.sha256((tmp_path / "tables.npy").read_bytes()).hexdigest()[:16] == "27265d2a3011ce32"


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
            changed[name][-1:].flat[0] -= 1
        prints.add(SymbolTables.from_arrays(changed).fingerprint)
    assert len(prints) == 6


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
        np.full((2, 1, 4), TOTAL // 4, dtype=np.uint32),
    ],
)
def test_what_is_no_table_is_refused(frequencies):
    with pytest.raises(UserError, match="symbol tables"):
        SymbolTables(frequencies, ContextRule.blank(np.zeros(1, dtype=np.uint8)))


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("spread", [[[1, 2]] * 2] * 2),
        ("spread", [[[2**31]] * 2] * 2),
        ("spread", [[[1.0]] * 2] * 2),
        ("lean", [[[[1]] * 2] * 2]),
        ("lean", [[[[1, 2, 3]] * 2] * 2] * 2),
        ("lean", [[[[1]] * 9] * 2] * 2),
        ("lean", [1, 2]),
        ("weights", np.zeros((2, 2, 2, 2), dtype=int)),
        ("weights", np.full((2, 2, 2, 4), 1)),
        ("weights", np.full((2, 2, 2, 4), 128)),
        ("modes", [0, 8]),
        ("modes", [0, 256]),
        ("modes", [0]),
        ("modes", [[0], [7]]),
        ("frequencies", [[[2**32] * 8] * 9] * 2),
    ],
)
def test_rules_are_checked(name, wrong):
    right = {
        "frequencies": np.full((2, 9, 8), TOTAL // 8),
        "modes": np.array([0, 7]),
        "weights": known(2)[:, :, None].repeat(2, axis=2) * -127,
        "spread": np.array([[[1]] * 2] * 2),
        "lean": np.array([[[[-1]] * 2] * 2] * 2),
    }
    SymbolTables.from_arrays(right)
    with pytest.raises(UserError, match="symbol") as error:
        SymbolTables.from_arrays(right | {name: np.array(wrong)})
    assert "\n" not in str(error.value)
    del right[name]
    with pytest.raises(UserError, match=f"lack their {name}"):
        SymbolTables.from_arrays(right)


@pytest.mark.parametrize("rule", [{"spread": [[[2, 1], [0, 0]]]}, {"lean": [[[[0, 1]] * 3, [[1, 0]] * 3]]}])
def test_thresholds_that_descend_are_refused(rule):
    right = {"spread": [[[0, 0]] * 2], "lean": [[[[0, 0]] * 3] * 2]}
    with pytest.raises(UserError, match="ascend"):
        table(np.full((1, 19, 2), TOTAL // 2), **right | rule)


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
