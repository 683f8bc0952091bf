from dataclasses import replace

import pytest
from synthetic_records import INFO, realistic

from results.importance import importances, parameter_table


@pytest.fixture(scope="module")
def shares(records):
    return importances(records, INFO)


def test_shares_add_up_for_each_objective(shares):
    assert list(shares) == list(INFO.objectives)
    assert all(sum(values.values()) == pytest.approx(1.0) for values in shares.values())


def test_what_makes_the_bytes_is_found(shares):
    ranked = sorted(shares["bytes"], key=shares["bytes"].get, reverse=True)
    assert set(ranked[:4]) == {"split", "stride", "width", "bits"}
    assert max(shares["edge_flops"], key=shares["edge_flops"].get) == "split"


def test_too_few_trials_say_nothing():
    assert importances(realistic(11, finalists=False), INFO) == {}


def test_a_resolution_that_is_left_out_is_the_whole_image_above_all_others(records):
    some = [replace(each, config=replace(each.config, resolution=24 * (each.number % 3))) for each in records]
    names, table = parameter_table(some)
    ranks = {0: 49, 1: 24, 2: 48}
    assert table[:, names.index("resolution")].tolist() == [ranks[each.number % 3] for each in records]
    assert 0 < sum(importances(some, INFO)["quality"].values()) <= 1 + 1e-9


def test_only_parameters_that_vary_are_ranked(records):
    names, table = parameter_table(records)
    assert "split" in names and "cloud_modules" not in names
    assert table.shape == (len(records), len(names))
