"""Which Reporter a run gets."""

from __future__ import annotations

from rich.console import Console

from automl.reporter import Reporter
from automl.reporters.json_lines import JsonReporter
from automl.reporters.plain import PlainReporter
from automl.reporters.quiet import QuietReporter
from automl.reporters.terminal import RichReporter
from deploy.errors import UserError


def reporter_for(console: Console, quiet: bool = False, json: bool = False) -> Reporter:
    """Return JSON lines or silence where asked, a live view in a terminal, else plain lines.

    Raises:
        UserError: both ``--quiet`` and ``--json`` are asked.
    """
    if quiet and json:
        raise UserError("--quiet and --json exclude each other: give one of them")
    if json:
        return JsonReporter(console.file)
    if quiet:
        return QuietReporter()
    if console.is_terminal and not console.is_dumb_terminal:
        return RichReporter(console)
    return PlainReporter(console.file)
