"""The search space: discrete, counted exactly, and equal programs are one configuration."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.errors import UserError
from search_spaces.config import Config
from search_spaces.layout import Layout
from search_spaces.space import SearchSpace, default_space

LAYOUT = Layout(stages=(-1, 0, 0, 1, -1), skippable=(False, False, True, False, False), modules=2)
SPACE = default_space(LAYOUT, 32)
SMALL = SPACE.narrowed(
    {
        "width": [2, 4],
        "stride": [1],
        "bits": [2, 4],
        "image_quality": [10, 50],
        "response": [0.0, 1.0],
        "feature": [0.0],
        "rate": [0.0, 1.0],
    }
)


def params(space: SearchSpace) -> st.SearchStrategy[dict[str, object]]:
    return st.fixed_dictionaries({p.name: st.sampled_from(p.choices) for p in space.parameters})


@given(params(SPACE))
def test_flat_parameters_come_back(values: dict) -> None:
    config = Config.from_params(values)
    assert Config.from_params(config.to_params()) == config


@given(params(SPACE))
def test_canonical_is_idempotent(values: dict) -> None:
    once = SPACE.canonical(Config.from_params(values))
    assert SPACE.canonical(once) == once


@given(params(SPACE))
def test_what_is_inactive_makes_no_difference(values: dict) -> None:
    values = {**values, "split": 0}
    other = {**values, "bits": 8, "width": 16, "response": 2.0, "edge_modules.stage1": 0}
    assert SPACE.config(values) == SPACE.config(other)


def test_the_size_is_the_number_of_distinct_configurations() -> None:
    found = list(SMALL.configs())
    assert len(found) == len(set(found)) == SMALL.size()


def test_a_stage_whose_blocks_cannot_be_skipped_keeps_a_module() -> None:
    assert SPACE.config({"split": 2, "edge_modules.stage1": 0}).edge_modules[0] == 1
    assert SPACE.config({"split": 3, "edge_modules.stage1": 0}).edge_modules[0] == 0


def test_everything_on_the_edge_with_all_modules_is_one_configuration() -> None:
    assert SPACE.config({"split": 5, "bits": 1, "rate": 2.0}) == SPACE.config({"split": 5, "response": 0.0})


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"bit": [4]}, r"unknown parameter 'bit': did you mean 'bits'\?"),
        ({"bits": [9]}, "parameter 'bits' has no choice 9; valid: 1, 2, 3"),
        ({"bits": []}, "parameter 'bits' is narrowed to nothing"),
    ],
)
def test_what_the_space_does_not_know_is_refused(choices: dict, message: str) -> None:
    with pytest.raises(UserError, match=message):
        SPACE.narrowed(choices)


def test_cloud_modules_are_searched_only_where_asked() -> None:
    assert SPACE["cloud_modules"].choices == (2,)
    assert default_space(LAYOUT, 32, cloud_modules=True)["cloud_modules"].choices == (1, 2)
