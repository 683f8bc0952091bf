"""Database: Optuna's relational storage at any URL, which writes in one transaction what belongs together."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, cast

from optuna.distributions import distribution_to_json
from optuna.storages import RDBStorage
from optuna.storages._rdb import models
from optuna.storages._rdb.storage import _create_scoped_session
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy import insert
from sqlalchemy.orm import Session


class Database(RDBStorage):
    """Optuna's storage; its own methods write each parameter and attribute in a transaction of its own."""

    def add(self, trial_id: int, more: FrozenTrial) -> None:
        """Write the parameters and attributes of ``more`` into a running trial: all of them or none.

        Raises:
            UpdateFinishedTrialError: the trial is finished.
        """
        rows = {
            models.TrialParamModel: _params(more),
            models.TrialUserAttributeModel: _attributes(more.user_attrs),
            models.TrialSystemAttributeModel: _attributes(more.system_attrs),
        }
        with _create_scoped_session(self.scoped_session) as session:
            trial = models.TrialModel.find_or_raise_by_id(trial_id, session, for_update=True)
            self.check_trial_is_updatable(trial_id, cast(TrialState, trial.state))
            for model, found in rows.items():
                if found:
                    session.execute(insert(model), [{"trial_id": trial_id, **row} for row in found])

    def _get_prepared_new_trial(
        self, study_id: int, template_trial: FrozenTrial | None, session: Session
    ) -> models.TrialModel:
        # The first beat comes with the trial itself: one that never beat would never be found to be stale.
        trial = super()._get_prepared_new_trial(study_id, template_trial, session)
        session.add(models.TrialHeartbeatModel(trial_id=trial.trial_id))
        return trial


def _params(trial: FrozenTrial) -> list[dict[str, Any]]:
    return [
        {
            "param_name": name,
            "param_value": found.to_internal_repr(trial.params[name]),
            "distribution_json": distribution_to_json(found),
        }
        for name, found in trial.distributions.items()
    ]


def _attributes(values: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"key": key, "value_json": json.dumps(value)} for key, value in values.items()]
