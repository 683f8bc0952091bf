"""Chosen: one trial of a run, ready to be exported or verified, with the weights it was measured with."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch

from automl.blueprint import Blueprint, blueprint, made_with
from automl.identity import differences, refuse
from automl.keeper import Keeper
from automl.reporter import Reporter
from automl.run_reader import read_identity, read_run
from automl.seeds import trial_seed
from automl.settings import RunSettings
from automl.trial import Candidate, Trial
from automl.work import trial_of
from deploy.errors import UserError
from results.chooser import Choice, choose
from results.pareto import pareto_set
from results.record import TrialRecord
from search_spaces.placement import CPU

CLOUD = "the cloud model's own weights"
FINALIST = "the finalist's weights"
SEARCHED = "the weights that the search measured"
RETRAINED = "weights trained again from its seed"


@dataclass(frozen=True)
class Chosen:
    """A trial and its candidate.

    Attributes:
        plan: The run.
        record: The trial.
        candidate: Its weights and symbol tables.
        origin: Where the weights come from, in words.
    """

    plan: Blueprint
    record: TrialRecord
    candidate: Candidate
    origin: str


def chosen_trial(
    settings: RunSettings,
    number: int | None,
    choice: Choice,
    reporter: Reporter,
    origin: str | None = None,
    accept: frozenset[str] = frozenset(),
) -> Chosen:
    """Find a trial by number or by choosers and bring its weights back.

    Args:
        settings: The run's.
        number: The trial; None leaves it to the choosers.
        choice: Picks a front member.
        reporter: Hears of retraining.
        origin: Which weights are wanted, in the words of ``Chosen.origin``; the best there are unless given.
        accept: What may have changed since the run: ``"versions"``, ``"threads"``.

    Raises:
        UserError: no such trial, neither a number nor a chooser, or another identity than the run's.
    """
    found = chosen_record(settings, number, choice)
    torch.set_num_threads(settings.threads)
    plan = blueprint(settings)
    refuse(settings.name, differences(read_identity(settings.folder), made_with(plan)), accept, searching=False)
    return Chosen(plan, found, *_candidate(plan, found, reporter, origin))


def chosen_record(settings: RunSettings, number: int | None, choice: Choice) -> TrialRecord:
    """Find a trial by number or by choosers.

    Raises:
        UserError: no such trial, or neither a number nor a chooser.
    """
    info, records = read_run(settings.folder)
    if number is not None:
        return _numbered(records, number)
    if not choice.asked:
        raise UserError("name the trial with --trial N, or choose with --knee, --max-bytes, --min-quality ...")
    return choose(pareto_set(records, info.objectives), choice, info)


def _numbered(records: list[TrialRecord], number: int) -> TrialRecord:
    for record in records:
        if record.number == number:
            return record
    last = max((record.number for record in records), default=None)
    valid = "there are none yet" if last is None else f"finished trials run up to {last}"
    raise UserError(f"the run has no finished trial {number}; {valid}")


def _candidate(
    plan: Blueprint, record: TrialRecord, reporter: Reporter, origin: str | None
) -> tuple[Candidate, str]:
    trial = trial_of(plan, reporter, device=CPU)
    keeper = Keeper(plan.settings.folder.weights)
    if trial.supernet.is_cloud_model(record.config):
        return trial.candidate(record.config, 0), CLOUD
    for finalist in (True, False):
        label = FINALIST if finalist else SEARCHED
        if (finalist and record.finalist is None) or origin not in (None, label):
            continue
        kept = keeper.load(record.config, trial.supernet, finalist)
        if kept is not None:
            return kept, label
    reporter.say(f"Trial {record.number} kept no weights: it is trained again from its seed.")
    return _retrained(plan, record, trial, reporter), RETRAINED


def _retrained(plan: Blueprint, record: TrialRecord, trial: Trial, reporter: Reporter) -> Candidate:
    """Train a trial again on what the run was made on, and return it on the CPU."""
    seed = trial_seed(plan.settings.seed)
    if plan.device == CPU:
        return trial.candidate(record.config, seed)
    there = trial_of(plan, reporter).candidate(record.config, seed)
    derived = trial.supernet.derive(record.config)
    derived.load_state_dict(there.derived.state_dict())
    return replace(there, derived=derived.eval())
