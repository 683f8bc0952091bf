"""``eccsearch space``: the parameters of a task's search space and how many configurations they make."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from search_spaces.config import Value

if TYPE_CHECKING:
    from rich.table import Table

    from automl.blueprint import Blueprint
    from search_spaces.resolution import Resolutions


def space(
    task: Annotated[str, typer.Option(help="The task; 'eccsearch tasks' lists them.")] = "detection",
    fix: Annotated[list[str] | None, typer.Option(help="Fix or narrow a parameter, e.g. bits=2..4.")] = None,
    space: Annotated[list[Path] | None, typer.Option(help="A TOML file that narrows it.", metavar="FILE")] = None,
    objective: Annotated[list[str] | None, typer.Option(help="Objectives; some open further parameters.")] = None,
) -> None:
    """Print the search space of a task and its number of distinct configurations.

    Example: eccsearch space --task detection --fix bits=4
    """
    from rich.console import Console

    from automl.blueprint import blueprint
    from automl.cli.values import merged
    from automl.settings import RunSettings
    from search_spaces.objective import DEFAULT_OBJECTIVES

    narrowed = merged(space or [], fix or [])
    plan = blueprint(RunSettings(task, task, narrowed=narrowed, objectives=tuple(objective or DEFAULT_OBJECTIVES)))
    closed = _closed(plan, narrowed)
    console = Console(highlight=False)
    console.print(_table(plan, closed))
    console.print()
    if closed:
        console.print(f"Narrowed unless you name them: {', '.join(sorted(closed))}; e.g. --fix feature=0,1,2")
    for line in (*_gates(plan), *_absent(plan), *_splits(plan)):
        console.print(line)
    console.print(f"{plan.space.size():,} distinct configurations")


def _closed(plan: Blueprint, narrowed: Collection[str]) -> set[str]:
    """Return the parameters that are narrowed because nobody named them."""
    from search_spaces.space import UNLESS_NAMED

    return {
        name
        for name in UNLESS_NAMED
        if name not in narrowed and plan.space[name].choices != plan.whole[name].choices
    }


def _table(plan: Blueprint, closed: Collection[str]) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    table.add_column("parameter", no_wrap=True)
    table.add_column("choices")
    table.add_column("default", justify="right")
    for parameter in plan.space.parameters:
        choices = _listed(parameter.choices)
        said = f"{choices} (of {_listed(plan.whole[parameter.name].choices)})"
        table.add_row(parameter.name, said if parameter.name in closed else choices, str(parameter.default))
    return table


def _gates(plan: Blueprint) -> Iterator[str]:
    """Give a line on how to do without gates, where there are some."""
    if plan.space.layout.exits:
        yield "The edge may answer some samples itself and send the others; --fix offload=1 leaves that out"


def _absent(plan: Blueprint) -> Iterator[str]:
    """Give a line on the parameter that is there only if it is named."""
    from automl.blueprint import untrained_chain
    from search_spaces.resolution import resolutions_of

    if not plan.space.layout.sides:
        yield _resolution_note(resolutions_of(untrained_chain(plan.task), plan.task.image_size))


def _splits(plan: Blueprint) -> Iterator[str]:
    """Give a line on what each split point sends."""
    from automl.blueprint import untrained_chain

    for split, shapes in enumerate(untrained_chain(plan.task).crossing, start=1):
        features = " and ".join(" x ".join(map(str, shape)) for shape in shapes)
        yield f"split {split}: features of {features}"
    yield f"split 0: the image; split {plan.space.layout.splits}: everything on the edge"


def _resolution_note(found: Resolutions) -> str:
    if not found.sides:
        return f"No resolution: the edge sees the whole image, for {found.reason}"
    sides = ",".join(map(str, found.sides))
    return f"There only if you name it: resolution; --fix resolution={sides} lets the edge see a smaller image"


def _listed(choices: Sequence[Value]) -> str:
    return ", ".join(str(choice) for choice in choices)
