"""Recipes: what came from given weights is trained gently, and much data is used."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
import torch

from automl import recipes
from automl.distillation import parameter_groups
from automl.settings import Effort
from automl.tasks.classification import ClassificationTask
from search_spaces.chain import chain_of
from search_spaces.space import default_space
from search_spaces.supernet import BottleneckOptions, Supernet
from search_spaces.task import DataSplit, SplitName

EFFORT = Effort()
MADE = (recipes.teaching, recipes.distilling, recipes.refining)


@dataclass(frozen=True)
class Larger(ClassificationTask):
    """The task with its samples many times over."""

    times: int = 200

    def data(self, split: SplitName) -> DataSplit:
        found = super().data(split)
        return DataSplit(split, found.images.repeat(self.times, 1, 1, 1), found.targets * self.times)


def test_what_began_by_chance_learns_as_fast_as_what_is_new(task: ClassificationTask) -> None:
    for make in MADE:
        recipe = make(EFFORT, task)
        assert recipe.learnt_rate is None
        assert "learnt_rate" not in recipes.said(recipe)


def test_what_came_from_weights_learns_at_twice_its_own_rate_at_most(task: ClassificationTask) -> None:
    tuned = replace(task, recipe=replace(task.recipe, learning_rate=4e-4))
    for make in MADE:
        recipe = make(EFFORT, tuned)
        assert recipe.learnt_rate == pytest.approx(8e-4) == recipes.said(recipe)["learnt_rate"]
        assert recipe.learning_rate > recipe.learnt_rate


def test_a_trial_is_distilled_about_as_long_as_it_is_measured(task: ClassificationTask) -> None:
    samples = len(task.data("validation"))
    tasks = [Larger(counts=task.counts, times=n // samples) for n in (samples, 480, 4_800, 48_000)]
    steps = [recipes.distilling(EFFORT, each).steps for each in tasks]
    assert steps == [10, 10, 100, 300]
    assert recipes.distilling(replace(EFFORT, trial_steps=7), task).steps == 7


def test_all_batches_of_a_large_data_set_differ(task: ClassificationTask) -> None:
    few, many = (recipes.refining(EFFORT, each) for each in (task, Larger(counts=task.counts)))
    assert few.batches == 300
    assert many.batches == 200 * len(task.data("train")) // many.batch > 300


def test_a_finalist_learns_from_larger_batches_of_very_much_data(task: ClassificationTask) -> None:
    samples = len(task.data("train"))
    few, many = (
        recipes.refining(EFFORT, Larger(counts=task.counts, times=n // samples + 1)) for n in (19_000, 20_000)
    )
    assert few.batch == 16 < many.batch == 64


def test_only_a_finalist_s_rate_is_held(task: ClassificationTask) -> None:
    assert recipes.refining(EFFORT, task).hold_rate
    assert "hold_rate" not in recipes.said(recipes.distilling(EFFORT, task))


def test_blocks_are_what_has_been_learnt_in_a_supernet_and_in_what_is_derived(task: ClassificationTask) -> None:
    example = torch.zeros(1, 3, task.image_size, task.image_size)
    chain = chain_of(task.cloud_model(), example)
    supernet = Supernet(chain, BottleneckOptions(8, (1,)), exits=task)
    space = default_space(supernet.layout, task.image_size)
    derived = supernet.derive(space.config({"split": 4, "width": 4, "bits": 3}))
    for model, blocks in ((supernet, supernet.chain), (derived, None)):
        fresh, learnt, steps = parameter_groups(model, 4e-3, 1e-3)
        assert (fresh["peak"], learnt["peak"]) == (4e-3, 1e-3) and steps["peak"] > 4e-3
        everything = {id(p) for p in model.parameters() if p.requires_grad}
        assert {id(p) for group in (fresh, learnt, steps) for p in group["params"]} == everything
        if blocks is not None:
            assert {id(p) for p in learnt["params"]} == {id(p) for p in blocks.parameters()}
        assert fresh["params"] and learnt["params"] and steps["params"]
