"""Record: TrialRecord and Finalist as the study writes them down, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Literal

from optuna.trial import FrozenTrial, TrialState

from automl.distributions import config_of
from evaluators.measurement import Measurement
from results.record import Finalist, TrialRecord
from search_spaces.config import Config
from search_spaces.objective import Constraint
from search_spaces.space import SearchSpace

KIND = "kind"
ALONG = "along"
OWNER = "owner"
MEASUREMENT = "measurement"
SECONDS = "seconds"
CONFIG = "config"
FINALS = "finals"
REFINES = "refines"
INDEX = "index"
FAILURE = "failure"
FINALIST = "finalist:"


_KINDS: Mapping[str, Literal["search", "anchor", "along"]] = {
    "search": "search",
    "anchor": "anchor",
    ALONG: "along",
}


def measured(trial: FrozenTrial) -> bool:
    """Return whether the trial is finished and has its Measurement.

    An anchor outside a narrowed space ends in state FAIL, so that no sampler learns from it, and so does what was
    measured along with a search trial; they count too.
    """
    if trial.state == TrialState.COMPLETE:
        return True
    return trial.state == TrialState.FAIL and CONFIG in trial.user_attrs and MEASUREMENT in trial.user_attrs


def kind_of(trial: FrozenTrial) -> str:
    """Return ``"search"``, ``"anchor"``, ``"along"``, or ``"finals"``, which is no measurement but who refines."""
    return str(trial.user_attrs.get(KIND, "search"))


def place_of(trial: FrozenTrial) -> int | None:
    """Return a live search trial's place in the sequence, from 0; None for whatever holds no place."""
    live = trial.state in (TrialState.COMPLETE, TrialState.RUNNING)
    return trial.user_attrs.get(INDEX) if live and kind_of(trial) == "search" else None


def config_in(trial: FrozenTrial, space: SearchSpace) -> Config | None:
    """Return the trial's canonical Config; None while its parameters are being drawn."""
    if CONFIG in trial.user_attrs:
        return Config.from_params(trial.user_attrs[CONFIG])
    if len(trial.params) < len(space.parameters):
        return None
    return config_of(space, trial.params)


def to_record(
    trial: FrozenTrial, config: Config, constraints: Sequence[Constraint], finalist: Finalist | None
) -> TrialRecord:
    """Return what a measured trial says."""
    measurement = Measurement.from_dict(trial.user_attrs[MEASUREMENT])
    return TrialRecord(
        number=trial.number,
        kind=_KINDS[kind_of(trial)],
        config=config,
        validation=measurement,
        feasible=all(each.violation(measurement[each.name]) <= 0 for each in constraints),
        finalist=finalist,
        seconds=float(trial.user_attrs.get(SECONDS, 0.0)),
    )


def finalist_to_json(finalist: Finalist) -> dict[str, Any]:
    """Return a Finalist as JSON."""
    return asdict(finalist)


def finalist_from_json(values: Mapping[str, Any]) -> Finalist:
    """Build the Finalist that ``finalist_to_json`` wrote."""
    low, high = values["quality_interval"]
    least, most = values["gap_interval"]
    return Finalist(
        validation=Measurement.from_dict(values["validation"]),
        test=Measurement.from_dict(values["test"]),
        quality_interval=(low, high),
        gap_interval=(least, most),
    )
