"""One worker process of a run: ``python -m automl.cli.worker ROOT NAME PARENT [DEADLINE]``; a run starts it."""

from __future__ import annotations

import signal
import sys
import time
from pathlib import Path

from automl.cli.searching import INTERRUPTED
from automl.cli.surroundings import prepare
from deploy.errors import UserError


def main(root: str, name: str, parent: str, deadline: str | None = None) -> int:
    """Work on a run to its end, or until process ``parent`` is gone; return the exit code."""
    # A shell without job control lets the background ignore interrupts, and this process with it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return _work(root, name, int(parent), None if deadline is None else float(deadline))
    except (UserError, OSError) as error:
        print(f"eccsearch: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return INTERRUPTED


def _work(root: str, name: str, parent: int, deadline: float | None) -> int:
    import torch

    from automl.blueprint import blueprint
    from automl.reporters.quiet import QuietReporter
    from automl.run import open_study, trial_of, work_here
    from automl.run_folder import RunFolder
    from automl.settings import RunSettings
    from automl.workers import orphan_of

    settings = RunSettings.load(RunFolder(Path(root), name))
    torch.set_num_threads(settings.threads)
    plan, reporter = blueprint(settings), QuietReporter()
    study, trial = open_study(plan), trial_of(plan, reporter)
    timeout = None if deadline is None else max(0.0, deadline - time.time())
    outcome = work_here(plan, study, trial, _look, reporter, timeout, orphan_of(parent))
    return INTERRUPTED if outcome.reason == "interrupted" else 0


def _look() -> None:
    """Report nothing: the parent sees in the study what its workers finish."""


if __name__ == "__main__":
    prepare()
    sys.exit(main(*sys.argv[1:]))
