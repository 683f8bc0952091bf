"""The first generation of nsga2: what a person would try first, then points spread over all choices."""

from __future__ import annotations

from dataclasses import replace

import pytest

from automl.samplers import surrogate
from automl.samplers.generations import POPULATION
from automl.samplers.nsga2 import PLAIN, design_point
from automl.samplers.sampler import Ask
from search_spaces.config import Config
from search_spaces.objective import DEFAULT_OBJECTIVES, Objective
from search_spaces.space import SearchSpace, default_space

UNGATED = surrogate.surrogate_space()
LAYOUT = replace(UNGATED.layout, exits=tuple(range(1, UNGATED.layout.splits + 1)))
GATED = default_space(LAYOUT, 96)
OBJECTIVES = tuple(Objective.named(name) for name in DEFAULT_OBJECTIVES)


def points(space: SearchSpace) -> list[Config]:
    """Return the first generation."""
    return [space.config(design_point(Ask(space, OBJECTIVES, 3, index))) for index in range(POPULATION)]


def test_the_defaults_at_interior_split_points_come_early() -> None:
    for space, cascades in ((UNGATED, 0), (GATED, 2)):
        first = points(space)[cascades : cascades + PLAIN]
        assert all(config == space.config({"split": config.split}) for config in first)
        assert all(0 < config.split < space.layout.splits for config in first)


def test_where_there_are_gates_smaller_models_that_send_what_they_are_not_sure_of_come_first() -> None:
    for config, modules in zip(points(GATED)[:2], (3, 2), strict=True):
        assert config.split == LAYOUT.splits and set(config.edge_modules) == {modules}
        assert config.payload == "image" and config.offload == pytest.approx(0.3)
        assert config.image_quality == 80


@pytest.mark.parametrize(
    "narrowed",
    [{"offload": (1.0,)}, {"payload": ("features",)}, {"split": (1, 2, 3)}],
    ids=["no gate", "no images", "not all on the edge"],
)
def test_what_is_left_out_of_the_space_is_not_tried(narrowed: dict[str, tuple[float | str, ...]]) -> None:
    space = GATED.narrowed(narrowed)
    assert not any(config.split == LAYOUT.splits and config.gated for config in points(space)[: PLAIN + 1])
    for name, choices in narrowed.items():
        assert all(design_point(Ask(space, OBJECTIVES, 3, i))[name] in choices for i in range(POPULATION))


def test_after_the_first_generation_there_is_no_design() -> None:
    assert design_point(Ask(GATED, OBJECTIVES, 3, POPULATION)) == {}
