"""The options of ``eccsearch run``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

_EFFORT = "Training effort"

_DATA = "Your own data"

TaskOption = Annotated[
    str | None, typer.Option(help="The task; 'eccsearch tasks' lists them. detection unless given.")
]
DataOption = Annotated[
    Path | None,
    typer.Option(help="A data set of your own instead of a task's.", metavar="PATH", rich_help_panel=_DATA),
]
ModelOption = Annotated[
    str | None,
    typer.Option(
        help="The cloud model: small, a classification model of torchvision's, or package.module:function, for "
        "boxes as FCOS's backbone; or, for boxes, a detector of torchvision's.",
        rich_help_panel=_DATA,
    ),
]
WeightsOption = Annotated[
    str | None,
    typer.Option(
        help="What it starts from: a .pth or .safetensors file, or a name of torchvision's such as DEFAULT.",
        metavar="FILE",
        rich_help_panel=_DATA,
    ),
]
FormatOption = Annotated[
    str | None,
    typer.Option("--format", help="folders, coco, voc or yolo; recognised unless given.", rich_help_panel=_DATA),
]
ImageSizeOption = Annotated[
    int | None,
    typer.Option(min=16, help="Side of the model's input in pixels; a multiple of 8.", rich_help_panel=_DATA),
]
BudgetOption = Annotated[int, typer.Option(help="Measured trials in total; the plain answers come on top.")]
NewNameOption = Annotated[str | None, typer.Option(help="The run's name; the task's unless given.")]
SamplerOption = Annotated[str, typer.Option(help="nsga2, pymoo-nsga2, tpe, gp or random.")]
SeedOption = Annotated[int, typer.Option(help="Seeds the search.")]
ObjectiveOption = Annotated[
    list[str] | None, typer.Option(help="An objective, repeatable; quality, edge_flops and bytes unless given.")
]
ConstraintOption = Annotated[
    list[str] | None, typer.Option(help='A bound such as "bytes<=2000", repeatable.', metavar="BOUND")
]
ProfileOption = Annotated[
    Path | None,
    typer.Option(
        help="A device profile (TOML): latency in ms and the edge's energy in mJ are measured too; "
        "'eccsearch profile' writes one.",
        metavar="FILE",
    ),
]
FixOption = Annotated[
    list[str] | None, typer.Option(help="Fix or narrow a parameter: bits=4, bits=2,4 or bits=2..6; repeatable.")
]
SpaceOption = Annotated[
    list[Path] | None, typer.Option(help="A TOML file that narrows parameters; repeatable.", metavar="FILE")
]
TryOption = Annotated[
    list[Path] | None,
    typer.Option("--try", help="A TOML configuration of your own, tried first; repeatable.", metavar="FILE"),
]
TimeoutOption = Annotated[str | None, typer.Option(help="Begin no trial after this: 90s, 15m, 2h.")]
WorkersOption = Annotated[
    int | None, typer.Option(help="Processes that search; one a core unless given, at most 4.")
]
ThreadsOption = Annotated[int | None, typer.Option(help="Threads of each worker; the cores shared out.")]
DeviceOption = Annotated[
    str, typer.Option(help="What trains and runs the models: auto (CUDA where there is some), cpu or cuda.")
]
StorageOption = Annotated[str | None, typer.Option(help="Another Optuna storage URL than the run's SQLite.")]
NewOption = Annotated[bool, typer.Option("--new", help="Start afresh beside a run of this name.")]
QuietOption = Annotated[bool, typer.Option("--quiet", help="Print nothing but the end.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")]
_TRIAL_STEPS = "10; more where validating takes longer"
CloudStepsOption = Annotated[
    int | None, typer.Option(min=1, help="Steps of the cloud model.", rich_help_panel=_EFFORT)
]
TeachStepsOption = Annotated[int, typer.Option(min=1, help="Steps of the supernet.", rich_help_panel=_EFFORT)]
TrialStepsOption = Annotated[
    int | None, typer.Option(min=0, help="Steps of a trial.", show_default=_TRIAL_STEPS, rich_help_panel=_EFFORT)
]
RefineStepsOption = Annotated[int, typer.Option(min=0, help="Steps of a finalist.", rich_help_panel=_EFFORT)]
FinalistsOption = Annotated[
    int, typer.Option(min=0, help="Split members to refine and test; 0 for none.", rich_help_panel=_EFFORT)
]
