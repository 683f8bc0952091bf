import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from synthetic_records import INFO, WHOLE, record

from results.axes import axes, points
from results.hypervolume import hypervolume, hypervolume_curve

measures = st.tuples(st.floats(0, 1), st.floats(0, 1.3), st.floats(0, 40_000))
trials = st.lists(measures, min_size=1, max_size=8).map(
    lambda rows: [record(n, q, share * WHOLE, b) for n, (q, share, b) in enumerate(rows)]
)


def by_cells(records, info):
    """Cut the box at every coordinate and add up the cells that some point dominates."""
    run_axes = axes(records, info)
    reference = [axis.reference for axis in run_axes]
    found = points([r for r in records if r.feasible], run_axes)
    edges = [sorted({0.0, high, *(c for c in found[:, k] if c < high)}) for k, high in enumerate(reference)]
    total = 0.0
    for cell in itertools.product(*(itertools.pairwise(edge) for edge in edges)):
        low = np.array([side[0] for side in cell])
        if (found <= low).all(axis=1).any():
            total += math.prod(high - start for start, high in cell)
    return total / math.prod(reference)


@given(trials)
def test_it_equals_the_volume_counted_cell_by_cell(records):
    assert hypervolume(records, INFO) == pytest.approx(by_cells(records, INFO), abs=1e-9)


@given(trials)
def test_the_curve_never_falls_and_ends_at_the_hypervolume_of_all(records):
    curve = hypervolume_curve(records, INFO)
    values = [value for _, value in curve]
    assert [done for done, _ in curve] == list(range(len(records) + 1))
    assert values == sorted(values)
    assert values[-1] == pytest.approx(hypervolume(records, INFO), abs=1e-9)


def test_the_bounds_of_the_box():
    perfect, useless = record(0, 1.0, 0, 0), record(1, 0.0, 0, 0)
    assert hypervolume([perfect], INFO) == pytest.approx(1.0)
    assert hypervolume([useless], INFO) == 0.0
    assert hypervolume([], INFO) == 0.0


def test_the_convention_of_axes_and_reference():
    found = axes([], INFO)
    assert [axis.reference for axis in found] == [1.0, 1.1, math.log10(1 + INFO.raw_bytes)]
    half = record(0, 0.25, WHOLE / 2, 99)
    assert points([half], found)[0] == pytest.approx([0.75, 0.5, 2.0])


def test_anchors_come_first_whatever_their_number(records):
    curve = hypervolume_curve(records, INFO)
    anchors = [r for r in records if r.kind == "anchor"]
    assert curve[0] == (0, pytest.approx(hypervolume(anchors, INFO)))
    assert curve[-1] == (200, pytest.approx(hypervolume(records, INFO)))


def test_other_objectives_are_measured_against_the_worst_anchor(records):
    info = replace(INFO, objectives=("quality", "edge_memory"))
    (_, memory) = axes(records, info)
    assert memory.reference == 1.1
    assert memory.scale == max(r.validation.edge_memory for r in records if r.kind == "anchor")
    assert 0 < hypervolume(records, info) < 1


def test_infeasible_trials_count_nothing():
    assert hypervolume([record(0, 1.0, 0, 0, feasible=False)], INFO) == 0.0
