"""``eccsearch data``: what a data set of the user's own holds and what is wrong with it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from automl.data.store import Index

data_app = typer.Typer(help="Check a data set of your own.", no_args_is_help=True)
SIDE = 64
"""Pictures are decoded to so many pixels: enough to see that they can be."""


@data_app.callback()
def _data() -> None:
    """Check a data set of your own."""


@data_app.command("check")
def check(
    path: Annotated[Path, typer.Argument(help="The data set: a folder, or the file that describes it.")],
    form: Annotated[str | None, typer.Option("--format", help="folders, coco, voc or yolo.")] = None,
) -> None:
    """Print counts per split and class, sizes of boxes, and every problem by file name.

    Example: eccsearch data check photos/
    """
    import tempfile

    from rich.console import Console

    from automl.data.formats import listed
    from automl.data.store import stored
    from automl.live import reporter_for

    console = Console()
    reporter = reporter_for(console)
    listing = listed(path, form)
    try:
        with tempfile.TemporaryDirectory() as cache:
            index = stored(listing, SIDE, 0, Path(cache), reporter).index
    finally:
        reporter.close()
    _print(console, path, index)


def _print(console: Any, path: Path, index: Index) -> None:
    what = "boxes" if index.detection else "pictures"
    console.print(f"{path}: {index.form}, {len(index.classes)} classes", highlight=False)
    console.print(_counts(index))
    for split, origin in index.made.items():
        console.print(f"{split} is made of {origin}, every class in proportion (seed 0).", highlight=False)
    if index.detection:
        console.print(_sizes(index), highlight=False)
    for file, problem in index.problems:
        console.print(f"{file}: {problem}", highlight=False, soft_wrap=True, markup=False)
    console.print(f"{len(index.problems)} problems." if index.problems else f"No problem: all {what} can be used.")


def _counts(index: Index) -> Table:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    from automl.tasks.sources import SPLITS

    table = Table(box=SIMPLE_HEAD)
    table.add_column("boxes of" if index.detection else "pictures of")
    for split in SPLITS:
        table.add_column(split, justify="right")
    labels = {split: [label for sample in index.samples[split] for label in sample["labels"]] for split in SPLITS}
    for number, name in enumerate(index.classes):
        table.add_row(name, *(str(labels[split].count(number)) for split in SPLITS))
    table.add_section()
    table.add_row("pictures in all", *(str(len(index.samples[split])) for split in SPLITS))
    if index.detection:
        empty = (sum(not sample["labels"] for sample in index.samples[split]) for split in SPLITS)
        table.add_row("of them without a box", *map(str, empty))
    return table


def _sizes(index: Index) -> str:
    import numpy as np

    from automl.tasks.sources import SPLITS

    boxes = np.array([box for split in SPLITS for sample in index.samples[split] for box in sample["boxes"]])
    shares = np.sqrt((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])) / SIDE
    return f"Boxes' side as a share of the picture's: {_spread(np.quantile(shares, (0, 0.05, 0.5, 0.95, 1)))}."


def _spread(quantiles: Sequence[float]) -> str:
    names = ("least", "5 %", "median", "95 %", "most")
    return ", ".join(f"{name} {100 * value:.0f} %" for name, value in zip(names, quantiles, strict=True))
