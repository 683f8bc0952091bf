"""The eccsearch command: its subcommands, and one line with exit code 2 for whatever the user can mend."""

from __future__ import annotations

import errno
import sys

import typer

from automl.cli.data import data_app
from automl.cli.export import export, verify
from automl.cli.pareto import pareto
from automl.cli.plot import plot
from automl.cli.predict import predict
from automl.cli.profile import profile
from automl.cli.refine import refine
from automl.cli.resume import resume
from automl.cli.rivals import rivals
from automl.cli.run import run
from automl.cli.show import show
from automl.cli.space import space
from automl.cli.studies import studies
from automl.cli.surroundings import prepare
from automl.cli.tasks import tasks_app
from deploy.errors import UserError, first_line

app = typer.Typer(
    name="eccsearch",
    help="Search how to share a vision model between an edge device and the cloud.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
for _command in (run, resume, pareto, rivals, show, refine, plot, export, verify, predict, studies, space, profile):
    app.command()(_command)
app.add_typer(tasks_app, name="tasks")
app.add_typer(data_app, name="data")

_DISK = {
    errno.ENOSPC: "the disk is full; free some space and run the same command again",
    errno.EDQUOT: "the disk quota is used up; free some space and run the same command again",
    errno.EROFS: "the disk is read-only; choose another folder",
    errno.EACCES: "permission denied; choose a folder that you may write to",
    errno.EPERM: "permission denied; choose a folder that you may write to",
}


def main() -> None:
    """Run the command line."""
    prepare()
    try:
        app()
    except UserError as error:
        _fail(str(error))
    except OSError as error:
        if error.errno not in _DISK:
            raise
        _fail(f"{error.filename or 'writing'}: {_DISK[error.errno]}")
    except (RuntimeError, ImportError) as error:
        if "torchvision::" not in str(error):
            raise
        _fail(
            f"torch and torchvision do not match ({first_line(error)}): install both from the same index, "
            "e.g. 'pip install --upgrade --force-reinstall torch torchvision'"
        )


def _fail(line: str) -> None:
    typer.echo(f"eccsearch: {' '.join(line.split())}", err=True)
    sys.exit(2)


if __name__ == "__main__":
    main()
