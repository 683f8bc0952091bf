"""The space where the edge may see a smaller image."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search_spaces.config import Config
from search_spaces.layout import Layout
from search_spaces.space import RESOLUTION, SearchSpace, default_space

SIDES = (16, 24, 32)
LAYOUT = Layout(
    stages=(-1, 0, 0, 1, -1),
    skippable=(False, False, True, False, False),
    modules=2,
    exits=(2, 3, 5),
    sides=SIDES,
)
SPACE = default_space(LAYOUT, 32)
SMALL = SPACE.narrowed(
    {
        "width": [2, 4],
        "stride": [1],
        "bits": [2],
        "image_format": ["webp"],
        "image_quality": [10, 50],
        "image_resolution": [32],
        "response": [0.0, 1.0],
        "feature": [0.0],
        "rate": [0.0, 1.0],
        "offload": [0.5, 1.0],
    }
)


def params(space: SearchSpace) -> st.SearchStrategy[dict[str, object]]:
    return st.fixed_dictionaries({p.name: st.sampled_from(p.choices) for p in space.parameters})


@given(params(SPACE))
def test_canonical_is_idempotent_and_comes_back_from_its_parameters(values: dict) -> None:
    once = SPACE.canonical(Config.from_params(values))
    assert SPACE.canonical(once) == once
    assert Config.from_params(once.to_params()) == once
    assert once.resolution in (0, *SIDES[:-1])


@pytest.mark.parametrize(
    "narrowed",
    [{}, {"resolution": [16, 24]}, {"resolution": [32]}, {"resolution": [16], "offload": [1.0]}, {"split": [5]}],
    ids=str,
)
@pytest.mark.parametrize("gates", [True, False])
def test_the_size_is_the_number_of_distinct_configurations(gates: bool, narrowed: dict) -> None:
    space = SMALL if gates else SMALL.without_gates()
    space = space.narrowed({name: choices for name, choices in narrowed.items() if gates or name != "offload"})
    found = list(space.configs())
    assert len(found) == len(set(found)) == space.size()


@given(params(SPACE))
def test_the_whole_resolution_is_the_configuration_without(values: dict) -> None:
    plain = default_space(replace(LAYOUT, sides=()), 32)
    without = {name: value for name, value in values.items() if name != RESOLUTION}
    whole = SPACE.config({**values, RESOLUTION: 32})
    assert whole == plain.config(without) == SPACE.config(without)
    assert RESOLUTION not in whole.to_params()


def test_an_image_that_is_sent_is_not_the_edges() -> None:
    assert SPACE.config({"split": 0, RESOLUTION: 16}) == SPACE.config({"split": 0})


def test_the_complete_model_at_a_smaller_resolution_is_another_program_than_the_cloud_model() -> None:
    smaller = SPACE.config({"split": 5, RESOLUTION: 16, "response": 2.0})
    assert (smaller.resolution, smaller.response) == (16, 2.0)
    assert SPACE.config({"split": 5, "response": 2.0}).response == 0


def test_a_layout_without_other_sides_has_no_such_parameter() -> None:
    plain = default_space(replace(LAYOUT, sides=()), 32)
    assert RESOLUTION not in {parameter.name for parameter in plain.parameters}
    assert plain.canonical(replace(SPACE.config({"split": 2}), resolution=16)).resolution == 0
    assert plain.size() == SPACE.narrowed({RESOLUTION: [32]}).size()
