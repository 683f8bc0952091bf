"""Refining: a trial that the user has chosen becomes a finalist, as the most telling ones of the front do."""

from __future__ import annotations

import torch

from automl.blueprint import blueprint
from automl.chosen import chosen_record
from automl.finalists import Finals
from automl.keeper import Keeper
from automl.reporter import Reporter
from automl.rivals.record import measured_rivals
from automl.settings import RunSettings
from automl.work import open_study, trial_of
from results.chooser import Choice
from results.outcome import write_outcome
from results.record import TrialRecord


def refined_trial(
    settings: RunSettings,
    number: int | None,
    choice: Choice,
    reporter: Reporter,
    accept: frozenset[str] = frozenset(),
) -> TrialRecord:
    """Distil a trial for longer, measure it on test, once, and return its record.

    Of a gate, all of its curve on the front is refined; the cloud model is measured beside it. What has been
    refined before stays as it is.

    Args:
        settings: The run's.
        number: The trial; None leaves it to the choosers.
        choice: Picks a front member.
        reporter: Hears of the progress.
        accept: What may have changed since the run: ``"versions"``, ``"threads"``.

    Raises:
        UserError: no such trial, neither a number nor a chooser, or another identity than the run's.
        KeyboardInterrupt: the same call begins anew with what is not noted yet.
    """
    wanted = chosen_record(settings, number, choice).number
    torch.set_num_threads(settings.threads)
    plan = blueprint(settings, reporter)
    study = open_study(plan, accept)
    keeper = Keeper(settings.folder.weights)
    Finals(plan, trial_of(plan, reporter), keeper, study, reporter, wanted=(wanted,)).run()
    write_outcome(study.records(), plan.info(), settings.folder.path, measured_rivals(settings.folder))
    return study.record(wanted)
