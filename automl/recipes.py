"""Recipes: how a run teaches its supernet, distils its trials and refines its finalists."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any, TypeVar

from automl.settings import Effort
from automl.teaching import TeachingRecipe
from automl.trial import TrialRecipe
from search_spaces.task import Task

FEWEST_STEPS = 10
"""Of a trial."""
STEP_PASSES = 3
"""What a sample of a training step costs, in passes, where the cloud model's answer is kept."""
REFINING_RATE = 4e-3
"""Peak learning rate of a finalist's distillation: long, so it may go far before it settles."""
REFINED_CALIBRATION = 1024
"""Training samples that a finalist's tables are calibrated on: it is what is deployed."""
LARGE = 20_000
"""Training samples from which a finalist learns from larger batches: an epoch takes three fifths of the time."""
LARGER_BATCH = 64
LEARNT_SPEED = 2.0
"""The cloud model's own blocks are taught and distilled at no more than so many times the rate at which it was
trained: one that began from given weights was trained gently, and faster its blocks forget what these knew."""

Recipe = TypeVar("Recipe", TeachingRecipe, TrialRecipe)


def teaching(effort: Effort, task: Task) -> TeachingRecipe:
    """Return how the supernet is taught."""
    return _gentle(TeachingRecipe(effort.teach_steps), task)


def distilling(effort: Effort, task: Task) -> TrialRecipe:
    """Return how a trial's model is distilled."""
    steps = _balanced(task) if effort.trial_steps is None else effort.trial_steps
    return _gentle(TrialRecipe(steps), task)


def _balanced(task: Task) -> int:
    """Return the steps that take about as long as measuring, of at most an epoch; no batch comes twice."""
    passes, samples = (len(task.data(split)) for split in ("validation", "train"))
    most = min(TrialRecipe.batches, samples // TrialRecipe.batch)
    return max(FEWEST_STEPS, min(passes // (STEP_PASSES * TrialRecipe.batch), most))


def refining(effort: Effort, task: Task) -> TrialRecipe:
    """Return how a finalist's model is distilled further: of much data in larger batches, which all differ."""
    recipe = TrialRecipe(
        effort.refine_steps, learning_rate=REFINING_RATE, calibration=REFINED_CALIBRATION, hold_rate=True
    )
    samples = len(task.data("train"))
    batch = LARGER_BATCH if samples >= LARGE else recipe.batch
    return _gentle(replace(recipe, batch=batch, batches=max(recipe.batches, samples // batch)), task)


def _gentle(recipe: Recipe, task: Task) -> Recipe:
    most = LEARNT_SPEED * task.recipe.learning_rate
    return replace(recipe, learnt_rate=most) if most < recipe.learning_rate else recipe


def said(recipe: TeachingRecipe | TrialRecipe) -> dict[str, Any]:
    """Return what a recipe is known by, as JSON: what later versions added is there where it is set."""
    return {name: value for name, value in asdict(recipe).items() if value is not None}
