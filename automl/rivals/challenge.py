"""Challenge: a finished run, its rivals beside it."""

from __future__ import annotations

import torch

from automl.blueprint import blueprint, made_with
from automl.forecast import pass_seconds, step_seconds, training_seconds
from automl.identity import differences, refuse
from automl.reporter import Reporter
from automl.rivals.bench import Bench
from automl.rivals.known import Challenge
from automl.rivals.measuring import Measuring, rivals_of
from automl.rivals.record import RivalRecord
from automl.rivals.rival import Rival
from automl.rivals.training_ahead import trainers, training_ahead, waiting
from automl.run_reader import read_identity, read_run
from automl.settings import RunSettings
from automl.work import trial_of
from deploy.errors import UserError
from results.naming import duration
from results.plain_answers import cloud_model

CODEC_SECONDS = 2e-3
"""Of an image, its way through a codec and back."""
CURVES_SECONDS = 1.5e-3
"""Of a pair of a cascade, all its thresholds and rules, for each sample."""
TESTED = 50
"""About how many points are measured on test."""
PAIRS = 100
"""About how many pairs a cascade has, before the image settings are known."""


def challenge(settings: RunSettings, reporter: Reporter, accept: frozenset[str] = frozenset()) -> Challenge:
    """Measure the rivals of a run that has been searched; what was measured before is kept.

    Args:
        settings: The run's.
        reporter: Hears of the progress.
        accept: What may have changed since the run: ``"versions"``, ``"threads"``.

    Raises:
        UserError: the run has no trials, no cloud model among them, or was made with something else.
        KeyboardInterrupt: what is measured is kept, and the same call goes on.
    """
    info, records = read_run(settings.folder)
    if cloud_model(records, info) is None:
        raise UserError(f"run '{info.name}' has not measured its cloud model yet: let it search first")
    torch.set_num_threads(settings.threads)
    plan = blueprint(settings, reporter)
    identity = read_identity(settings.folder)
    refuse(settings.name, differences(identity, made_with(plan)), accept, searching=False)
    record = RivalRecord.open(settings.folder, identity, len(records))
    trial = trial_of(plan, reporter)
    # Where the supernet was taught again, as many threads as that left are no trial's.
    torch.set_num_threads(settings.threads)
    bench = Bench(plan, trial, records, info)
    left = waiting(bench)
    seconds = _seconds(Measuring(bench, record, reporter), len(left))
    if seconds:
        reporter.say(f"About {duration(seconds)} on {settings.cores} cores.")
    with training_ahead(plan, left, reporter) as take:
        Measuring(Bench(plan, trial, records, info, take), record, reporter).run()
    return Challenge(info, records, record.points)


def _seconds(measuring: Measuring, untrained: int) -> float:
    """Return roughly how long what is left takes; 0 where nothing is."""
    plan, record = measuring.bench.plan, measuring.record
    left = {rival.name: _left(rival, record) for rival in rivals_of(measuring.bench)}
    tested = TESTED if any(left.values()) else len(measuring.untested())
    if not tested:
        return 0.0
    validation, test = len(plan.task.data("validation")), len(plan.task.data("test"))
    once, step = pass_seconds(plan), step_seconds(plan, plan.settings.threads)
    coded = left["image"] + left["plain cut"]
    passes = coded + left["edge only"] + left["fixed bottleneck"]
    validating = passes * once + coded * CODEC_SECONDS + left["cascade"] * CURVES_SECONDS
    measured = validating * validation + tested * (once + CODEC_SECONDS) * test
    training = sum(training_seconds(plan, recipe, step) for recipe in (plan.distilling, plan.refining))
    side = trainers(plan, untrained)
    # The other processes train alone, and none a part of a model.
    return max(measured, (measured + untrained * training) / side, -(-untrained // side) * training)


def _left(rival: Rival, record: RivalRecord) -> int:
    parts = rival.parts(record.points)
    if rival.name == "cascade" and not record.of("image"):
        return PAIRS
    return sum(not record.has(rival.name, part) for part in parts)
