"""Known: a run beside its rivals as far as that can be read, without data, model or training."""

from __future__ import annotations

from dataclasses import dataclass

from automl.rivals.record import RivalRecord
from automl.run_folder import RunFolder
from automl.run_reader import read_identity, read_run
from results.record import RunInfo, TrialRecord
from results.rival_point import RivalPoint


@dataclass(frozen=True)
class Challenge:
    """What a run and its rivals measured.

    Attributes:
        info: The run's facts.
        records: Its trials.
        points: The rivals' points.
    """

    info: RunInfo
    records: list[TrialRecord]
    points: list[RivalPoint]


def known_challenge(folder: RunFolder) -> Challenge | None:
    """Return a run beside its rivals; None where something is left to measure.

    Raises:
        UserError: the run cannot be read.
    """
    info, records = read_run(folder)
    record = RivalRecord.open(folder, read_identity(folder), len(records))
    return Challenge(info, records, record.points) if record.complete else None
