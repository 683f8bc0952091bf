"""One worker process of a run: ``python -m automl.cli.worker ROOT NAME PARENT``; the run command starts it."""

from __future__ import annotations

import sys
from pathlib import Path

import torch

from automl.blueprint import blueprint
from automl.cli.surroundings import prepare
from automl.reporters.quiet import QuietReporter
from automl.run import open_study, trial_of, work_here
from automl.run_folder import RunFolder
from automl.settings import RunSettings
from automl.workers import orphan_of
from deploy.errors import UserError
from results.record import TrialRecord


def main(root: str, name: str, parent: str) -> int:
    """Work on a run to its end, or until process ``parent`` is gone; return the exit code."""
    settings = RunSettings.load(RunFolder(Path(root), name))
    torch.set_num_threads(settings.threads)
    plan = blueprint(settings)
    try:
        reporter = QuietReporter()
        trial = trial_of(plan, reporter)
        outcome = work_here(plan, open_study(plan), trial, _unheard, reporter, orphan_of(int(parent)))
    except (UserError, OSError) as error:
        print(f"eccsearch: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return 130 if outcome.reason == "interrupted" else 0


def _unheard(record: TrialRecord) -> None:
    """Report nothing: the parent sees in the study what its workers finish."""


if __name__ == "__main__":
    prepare()
    sys.exit(main(*sys.argv[1:]))
