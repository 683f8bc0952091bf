"""The options that name a run and pick one member of its front, shared by several commands."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

NameOption = Annotated[
    str | None, typer.Option("--name", help="The run; the one that was written to last unless given.")
]
RootOption = Annotated[Path, typer.Option("--root", help="The folder that holds the runs.")]
StorageOption = Annotated[
    str | None, typer.Option("--storage", metavar="URL", help="The study's storage, if not the run's own file.")
]
KneeOption = Annotated[bool, typer.Option("--knee", help="Pick the knee: the member farthest below the extremes.")]
MaxBytesOption = Annotated[
    float | None, typer.Option("--max-bytes", metavar="BYTES", help="Pick a member that sends at most this.")
]
MaxEdgeFlopsOption = Annotated[
    float | None,
    typer.Option("--max-edge-flops", metavar="MADDS", help="Pick a member with at most these multiply-adds."),
]
MinQualityOption = Annotated[
    float | None, typer.Option("--min-quality", metavar="QUALITY", help="Pick a member of at least this quality.")
]
