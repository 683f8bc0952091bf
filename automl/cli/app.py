"""The eccsearch command: registers the subcommands and turns a UserError into one line and exit code 2."""

from __future__ import annotations

import sys

import typer

from deploy.errors import UserError

app = typer.Typer(
    name="eccsearch",
    help="Search how to share a vision model between an edge device and the cloud.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)


def main() -> None:
    """Run the command line."""
    try:
        app()
    except UserError as error:
        typer.echo(f"eccsearch: {error}", err=True)
        sys.exit(2)
