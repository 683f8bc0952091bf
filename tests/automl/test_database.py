from __future__ import annotations

from pathlib import Path

import optuna
import pytest
from optuna.distributions import BaseDistribution, CategoricalDistribution, IntDistribution
from optuna.exceptions import UpdateFinishedTrialError
from optuna.trial import FrozenTrial, Trial, TrialState, create_trial
from sqlalchemy.exc import IntegrityError

from automl.database import Database
from automl.storage import open_storage

DISTRIBUTIONS: dict[str, BaseDistribution] = {
    "width": IntDistribution(4, 16, step=4),
    "image_format": CategoricalDistribution(("jpeg", "webp")),
}
MORE = create_trial(
    state=TrialState.RUNNING,
    params={"width": 8, "image_format": "webp"},
    distributions=DISTRIBUTIONS,
    user_attrs={"seconds": 1.5, "owner": {"pid": 7}},
    constraints={"bytes<=200": -20.0},
)


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return open_storage(tmp_path)


@pytest.fixture
def study(database: Database) -> optuna.Study:
    return optuna.create_study(storage=database, directions=["maximize", "minimize"])


def begun(study: optuna.Study) -> Trial:
    return Trial(study, study._storage.create_new_trial(study._study_id))


def only(study: optuna.Study) -> FrozenTrial:
    (trial,) = study.get_trials()
    return trial


def test_what_is_added_reads_as_if_optuna_had_written_it(database: Database, study: optuna.Study) -> None:
    database.add(begun(study)._trial_id, MORE)
    theirs = begun(study)
    theirs.suggest_int("width", 4, 16, step=4)
    theirs.suggest_categorical("image_format", ("jpeg", "webp"))
    added, suggested = study.get_trials()
    assert list(added.params) == list(suggested.params)
    assert added.distributions == suggested.distributions == DISTRIBUTIONS
    assert (added.params, added.user_attrs) == (MORE.params, MORE.user_attrs)
    assert added.constraints == {"bytes<=200": -20.0}


def test_all_of_it_is_written_or_nothing(database: Database, study: optuna.Study) -> None:
    trial = begun(study)
    trial.set_user_attr("owner", "another")
    with pytest.raises(IntegrityError):
        database.add(trial._trial_id, MORE)
    assert only(study).params == {}
    assert only(study).user_attrs == {"owner": "another"}


def test_a_finished_trial_stays_as_it_is(database: Database, study: optuna.Study) -> None:
    trial = begun(study)
    study.tell(trial, state=TrialState.FAIL)
    with pytest.raises(UpdateFinishedTrialError):
        database.add(trial._trial_id, MORE)
    assert only(study).params == {}


def test_a_trial_that_never_got_further_than_its_beginning_becomes_stale(
    database: Database, study: optuna.Study
) -> None:
    trial = begun(study)
    assert database._get_stale_trial_ids(study._study_id) == []
    with database.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE trial_heartbeats SET heartbeat = datetime(heartbeat, '-1 hour')")
    assert database._get_stale_trial_ids(study._study_id) == [trial._trial_id]
