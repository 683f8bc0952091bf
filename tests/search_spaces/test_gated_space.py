"""The space where the edge may answer some samples itself."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search_spaces.config import Config
from search_spaces.layout import Layout
from search_spaces.space import SearchSpace, default_space

LAYOUT = Layout(stages=(-1, 0, 0, 1, -1), skippable=(False, False, True, False, False), modules=2, exits=(2, 3, 5))
SPACE = default_space(LAYOUT, 32)
SMALL = SPACE.narrowed(
    {
        "width": [2, 4],
        "stride": [1],
        "bits": [2, 4],
        "image_format": ["webp"],
        "image_quality": [10, 50],
        "image_resolution": [32],
        "response": [0.0, 1.0],
        "feature": [0.0],
        "rate": [0.0, 1.0],
        "offload": [0.1, 0.5, 1.0],
    }
)


def params(space: SearchSpace) -> st.SearchStrategy[dict[str, object]]:
    return st.fixed_dictionaries({p.name: st.sampled_from(p.choices) for p in space.parameters})


@given(params(SPACE))
def test_canonical_is_idempotent_and_comes_back_from_its_parameters(values: dict) -> None:
    once = SPACE.canonical(Config.from_params(values))
    assert SPACE.canonical(once) == once
    assert Config.from_params(once.to_params()) == once


@pytest.mark.parametrize(
    "narrowed",
    [
        {},
        {"offload": [0.1]},
        {"offload": [1.0]},
        {"payload": ["image"]},
        {"payload": ["features"]},
        {"payload": ["dynamic", "image"], "offload": [0.1, 0.5]},
    ],
    ids=str,
)
def test_the_size_is_the_number_of_distinct_configurations(narrowed: dict) -> None:
    space = SMALL.narrowed(narrowed)
    found = list(space.configs())
    assert len(found) == len(set(found)) == space.size()


@pytest.mark.parametrize("split", [0, 1, 4])
def test_where_the_edge_cannot_answer_there_is_no_gate(split: int) -> None:
    assert SPACE.config({"split": split, "offload": 0.2}) == SPACE.config({"split": split})


def test_the_complete_model_on_the_edge_needs_nobody() -> None:
    assert SPACE.config({"split": 5, "offload": 0.2}) == SPACE.config({"split": 5})


def test_what_is_not_sent_makes_no_difference() -> None:
    image = {"split": 3, "offload": 0.2, "payload": "image"}
    assert SPACE.config(image) == SPACE.config({**image, "width": 2, "bits": 8, "rate": 2.0})
    features = {"split": 3, "offload": 0.2, "payload": "features"}
    assert SPACE.config(features) == SPACE.config({**features, "image_quality": 90})
    everything = {"split": 5, "edge_modules.stage1": 1, "offload": 0.2}
    assert SPACE.config({**everything, "payload": "features"}) == SPACE.config({**everything, "payload": "image"})


@given(params(SPACE))
def test_what_is_measured_together_differs_in_the_share_alone(values: dict) -> None:
    config = SPACE.canonical(Config.from_params(values))
    along = SPACE.along(config)
    assert config in along
    assert len(set(along)) == len(along) == (7 if config.gated else 1)
    for other in along:
        assert SPACE.canonical(other) == other
        assert {**other.to_params(), "offload": 0} == {**config.to_params(), "offload": 0}


def test_a_space_without_exits_has_no_gate() -> None:
    plain = default_space(Layout(LAYOUT.stages, LAYOUT.skippable, LAYOUT.modules), 32)
    assert {"offload", "payload"}.isdisjoint(p.name for p in plain.parameters)
    assert plain.size() == SPACE.narrowed({"offload": [1.0]}).size()
