"""``eccsearch tasks``: the list of tasks, and a contact sheet of one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

tasks_app = typer.Typer(help="List the tasks; show one as a contact sheet.", invoke_without_command=True)


@tasks_app.callback()
def list_tasks(context: typer.Context) -> None:
    """List the tasks that --task accepts."""
    if context.invoked_subcommand is not None:
        return
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    from automl.tasks.catalogue import find_task, provider, task_names

    table = Table(box=SIMPLE_HEAD)
    for header in ("task", "quality", "classes", "image", "from"):
        table.add_column(header, no_wrap=True)
    for name in task_names():
        task = find_task(name)
        side = f"{task.image_size} x {task.image_size}"
        table.add_row(name, task.metric, str(len(task.classes)), side, provider(name))
    Console().print(table)


@tasks_app.command("show")
def show_task(
    name: Annotated[str, typer.Argument(help="The task's name.")],
    out: Annotated[Path | None, typer.Option(help="The PNG to write; TASK.png unless given.")] = None,
) -> None:
    """Write a contact sheet: samples of every split with their boxes and labels.

    Example: eccsearch tasks show detection
    """
    from automl.tasks.catalogue import find_task
    from automl.tasks.sources import SPLITS
    from results.contact_sheet import contact_sheet, write_contact_sheet

    task = find_task(name)
    splits = [task.data(split) for split in SPLITS]
    title = f"{name}   {len(task.classes)} classes, {task.image_size} x {task.image_size} pixels, {task.metric}"
    path = out or Path(f"{name}.png")
    write_contact_sheet(contact_sheet(splits, task.classes, title), path)
    counts = ", ".join(f"{len(split)} {split.name}" for split in splits)
    typer.echo(f"{path}: samples of {counts}")
