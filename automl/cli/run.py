"""``eccsearch run``: search, refine, write the Pareto set."""

from __future__ import annotations

import typer

from automl.cli import run_options as options
from automl.cli.accepting import AcceptThreadsOption, AcceptVersionsOption, accepted
from automl.cli.choosing import RootOption
from automl.run_folder import DEFAULT_ROOT
from automl.settings import Effort

EFFORT = Effort()


def run(
    context: typer.Context,
    task: options.TaskOption = None,
    budget: options.BudgetOption = 200,
    name: options.NewNameOption = None,
    root: RootOption = DEFAULT_ROOT,
    sampler: options.SamplerOption = "nsga2",
    seed: options.SeedOption = 0,
    objective: options.ObjectiveOption = None,
    constraint: options.ConstraintOption = None,
    profile: options.ProfileOption = None,
    fix: options.FixOption = None,
    space: options.SpaceOption = None,
    try_: options.TryOption = None,
    timeout: options.TimeoutOption = None,
    workers: options.WorkersOption = None,
    threads: options.ThreadsOption = None,
    device: options.DeviceOption = "auto",
    storage: options.StorageOption = None,
    new: options.NewOption = False,
    accept_versions: AcceptVersionsOption = False,
    accept_threads: AcceptThreadsOption = False,
    quiet: options.QuietOption = False,
    json: options.JsonOption = False,
    data: options.DataOption = None,
    form: options.FormatOption = None,
    image_size: options.ImageSizeOption = None,
    model: options.ModelOption = None,
    weights: options.WeightsOption = None,
    cloud_steps: options.CloudStepsOption = None,
    teach_steps: options.TeachStepsOption = EFFORT.teach_steps,
    trial_steps: options.TrialStepsOption = EFFORT.trial_steps,
    refine_steps: options.RefineStepsOption = EFFORT.refine_steps,
    finalists: options.FinalistsOption = EFFORT.finalists,
) -> None:
    """Search how to share a model between edge and cloud; the same command continues a run.

    Examples: eccsearch run --budget 200 --task detection

      eccsearch run --fix bits=2..4 --constraint "bytes<=200" --objective quality --objective edge_flops

      eccsearch run --profile machine.toml --objective quality --objective latency --constraint "energy<=20"

      eccsearch run --data photos/ --model mobilenet_v3_small --weights mine.pth --workers 2 --timeout 15m
    """
    from automl.cli.run_settings import run_settings
    from automl.cli.searching import search

    search(run_settings(context.params), quiet, json, accepted(accept_versions, accept_threads))
