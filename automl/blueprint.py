"""Blueprint: all that a run is before anything is trained."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, is_dataclass, replace
from importlib.metadata import version
from typing import Any

import torch

from automl import recipes
from automl.accelerator import accelerator
from automl.cloud_training import VERSION as CLOUD_VERSION
from automl.identity import full_identity
from automl.reporter import Reporter
from automl.reporters.quiet import QuietReporter
from automl.samplers.sampler import factory
from automl.settings import Own, RunSettings
from automl.tasks.catalogue import find_task
from automl.tasks.own import KINDS, OwnTask, own_task
from automl.teaching import VERSION as SUPERNET_VERSION
from automl.teaching import TeachingRecipe
from automl.trial import VERSION as TRIAL_VERSION
from automl.trial import TrialRecipe
from deploy.errors import UserError
from evaluators.flops import flops
from results.record import RunInfo
from search_spaces.chain import Chain, chain_of
from search_spaces.config import Config, Value
from search_spaces.exits import Exits
from search_spaces.modules import layout_of
from search_spaces.objective import Constraint, Objective
from search_spaces.placement import CPU
from search_spaces.resolution import resolutions_of
from search_spaces.space import GATE, IMAGE, OFFLOAD, RESOLUTION, UNLESS_NAMED, SearchSpace, default_space
from search_spaces.task import Task

PACKAGES = (
    "eccsearch",
    "torch",
    "torchvision",
    "optuna",
    "pymoo",
    "numpy",
    "fvcore",
    "constriction",
    "pillow",
    "torchmetrics",
    "faster-coco-eval",
    "onnxruntime",
)
ANCHOR_QUALITIES = (10, 30, 50, 70, 90)


@dataclass(frozen=True)
class Blueprint:
    """Task, space and goals of a run.

    Attributes:
        settings: What the user chose.
        task: The task.
        whole: The whole space of the task's chain; resolutions are tried only where they are asked for.
        space: What of it the user left.
        objectives: What is optimised.
        constraints: What must hold.
        first: The user's own configurations.
        given: A task that was handed over as it is, not found by its name.
    """

    settings: RunSettings
    task: Task
    whole: SearchSpace
    space: SearchSpace
    objectives: tuple[Objective, ...]
    constraints: tuple[Constraint, ...]
    first: tuple[Config, ...]
    given: Task | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel as settings to a process that is started anew: the task may hold its data."""
        return blueprint, (self.settings, None, self.given)

    @property
    def exits(self) -> Exits | None:
        """What makes exit heads and reads them; None where the space has no gate."""
        return self.task if self.space.has_gates and isinstance(self.task, Exits) else None

    @property
    def device(self) -> torch.device:
        """What trains and runs the models."""
        return accelerator(self.settings.device)

    @property
    def example(self) -> torch.Tensor:
        """An input for one sample, (1, 3, H, W)."""
        return torch.zeros(1, 3, self.task.image_size, self.task.image_size)

    @property
    def teaching(self) -> TeachingRecipe:
        """How the supernet is taught."""
        return recipes.teaching(self.settings.effort, self.task)

    @property
    def distilling(self) -> TrialRecipe:
        """How a trial's model is distilled."""
        return recipes.distilling(self.settings.effort, self.task)

    @property
    def refining(self) -> TrialRecipe:
        """How a finalist's model is distilled further."""
        return recipes.refining(self.settings.effort, self.task)

    def identity(self) -> dict[str, Any]:
        """Return what a continued run must share with the run it continues; of ``finalists`` it is only noted."""
        settings = self.settings
        return {
            "task": self.task.name,
            "data": self.task.fingerprint(),
            "training": {
                "cloud": {"version": CLOUD_VERSION},
                "supernet": {"version": SUPERNET_VERSION, **recipes.said(self.teaching)},
                "trial": {"version": TRIAL_VERSION, **recipes.said(self.distilling)},
            },
            "finalists": recipes.said(self.refining),
            **({} if settings.profile is None else {"profile": settings.profile.identity()}),
            "threads": {"trial": settings.threads, "training": settings.cores},
            **({} if self.device == CPU else {"device": self.device.type}),
            "versions": {package: version(package) for package in PACKAGES},
        }

    def info(self) -> RunInfo:
        """Return what tables and plots need to know."""
        return RunInfo(
            name=self.settings.name,
            task=self.task.name,
            metric=self.task.metric,
            objectives=tuple(objective.name for objective in self.objectives),
            splits=self.whole.layout.splits,
            whole_flops=float(flops(untrained_chain(self.task), self.example)),
            raw_bytes=3.0 * self.task.image_size**2,
        )

    def anchors(self) -> list[Config]:
        """Return the two plain answers: everything on the edge, and images at several settings."""
        images = [
            {"split": 0, "image_format": form, "image_quality": quality, "image_resolution": resolution}
            for form in self.whole[IMAGE[0]].choices
            for resolution in self.whole[IMAGE[2]].choices
            for quality in ANCHOR_QUALITIES
        ]
        everything = self.whole.config({"split": self.whole.layout.splits})
        return [everything, *(self.whole.config(image) for image in images)]


def blueprint(settings: RunSettings, reporter: Reporter | None = None, given: Task | None = None) -> Blueprint:
    """Resolve settings; a data set that was not decoded yet is decoded now.

    Args:
        settings: What the user chose.
        reporter: Hears of the decoding.
        given: A task to take instead of the one that the settings name.

    Raises:
        UserError: a task is given under another name than the settings'; unknown sampler, device, task, parameter,
            choice, objective or measure; a space narrowed to nothing; or a data set that cannot be used.
    """
    factory(settings.sampler)
    accelerator(settings.device)
    if given is not None and given.name != settings.task:
        raise UserError(f"the task that is given is called '{given.name}', the settings say '{settings.task}'")
    task = _trained_as_said(given or _task(settings, reporter or QuietReporter()), settings.effort.cloud_steps)
    objectives = tuple(Objective.named(name) for name in settings.objectives)
    if len(set(settings.objectives)) != len(settings.objectives) or not objectives:
        raise UserError(f"objectives {', '.join(settings.objectives)}: give each once, and at least one")
    named = {name for params in (settings.narrowed, *settings.first) for name in params}
    whole = _whole(task, named, "cloud_flops" in settings.objectives)
    space = _left(settings, named, whole)
    constraints = tuple(Constraint.parse(text) for text in settings.constraints)
    first = tuple(
        _tried(space, place, _needed(params, space)) for place, params in enumerate(settings.first, start=1)
    )
    return Blueprint(settings, task, whole, space, objectives, constraints, first, given)


def _tried(space: SearchSpace, place: int, params: Mapping[str, Value]) -> Config:
    try:
        return space.config(params)
    except UserError as error:
        gates = " (this run has no gates: no split point that is left, or --fix, allows one)"
        hint = gates if set(GATE).intersection(params) and not space.has_gates else ""
        raise UserError(f"configuration {place} of those given with --try: {error}{hint}") from None


def _whole(task: Task, named: Collection[str], cloud_modules: bool) -> SearchSpace:
    """Return a task's space, with the resolutions that its chain runs at where they are named."""
    chain = untrained_chain(task)
    layout = layout_of(chain, exits=task if isinstance(task, Exits) else None)
    plain = default_space(layout, task.image_size, cloud_modules)
    # Trying takes a few passes, so it is left to those who ask for what would not be there without.
    if {parameter.name for parameter in plain.parameters}.issuperset(named):
        return plain
    found = resolutions_of(chain, task.image_size)
    if RESOLUTION in named and not found.sides:
        raise UserError(f"'{RESOLUTION}' is no parameter of this model: {found.reason}; leave it out")
    return default_space(replace(layout, sides=found.sides), task.image_size, cloud_modules)


def _left(settings: RunSettings, named: Collection[str], whole: SearchSpace) -> SearchSpace:
    """Return what a user leaves of the whole space, by naming parameters or not."""
    pinned = {name: choices for name, choices in UNLESS_NAMED.items() if name not in named}
    # By the whole space, so that a name which is none of its parameters is told which there are.
    chosen = {whole[name].name: choices for name, choices in _needed(settings.narrowed, whole).items()}
    left = whole.narrowed({**pinned, **chosen})
    left = left if left.has_gates else left.without_gates()
    # A resolution that is fixed at the whole one is none: the run is the same as one that does not name it.
    tried = any(RESOLUTION in params for params in settings.first)
    return left if tried or any(left.resolutions) else left.of_the_whole_image()


def _needed(params: Mapping[str, Any], space: SearchSpace) -> dict[str, Any]:
    """Return parameters without an ``offload`` of 1 alone where the space has no gates: it asks for what holds."""
    said = space.has_gates or params.get(OFFLOAD) not in (1, (1,))
    return {name: value for name, value in params.items() if said or name != OFFLOAD}


def made_with(plan: Blueprint) -> dict[str, Any]:
    """Return what the study of a run is made with: the run's identity and all that the study itself knows."""
    settings = plan.settings
    return full_identity(
        plan.identity(), plan.space, plan.objectives, plan.constraints, settings.sampler, settings.seed
    )


def untrained_chain(task: Task) -> Chain:
    """Return the chain of a task's untrained cloud model: enough for the space."""
    return chain_of(task.cloud_model(), torch.zeros(1, 3, task.image_size, task.image_size))


def _task(settings: RunSettings, reporter: Reporter) -> Task:
    return find_task(settings.task) if settings.own is None else _own_task(settings, settings.own, reporter)


def _trained_as_said(task: Task, steps: int | None) -> Task:
    if steps is None:
        return task
    if not is_dataclass(task) or isinstance(task, type):
        raise UserError(f"task '{task.name}' is no dataclass, so its training steps cannot be changed from outside")
    return replace(task, recipe=replace(task.recipe, steps=steps))


def _own_task(settings: RunSettings, own: Own, reporter: Reporter) -> OwnTask:
    task = own_task(own, settings.folder.cache, reporter)
    kind = KINDS[type(task)]
    if settings.task and settings.task != kind:
        raise UserError(f"--task {settings.task}: {own.data} is a data set for {kind}; leave --task out")
    return task
