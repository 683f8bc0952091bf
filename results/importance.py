"""Importance: how much each parameter matters for each objective, from the trials alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sklearn.ensemble import RandomForestRegressor
from sklearn.inspection import permutation_importance
from sklearn.model_selection import KFold

from results.axes import axes
from results.record import RunInfo, TrialRecord

METHOD = "permutation importance of a random forest on held-out trials"
FEWEST = 12
FOLDS = 3


def importances(records: Sequence[TrialRecord], info: RunInfo) -> dict[str, dict[str, float]]:
    """Return, for each objective, the share of each varied parameter; shares sum to 1, or are 0 if none matters.

    The forest predicts the objective's axis (``results.axes``) from the flat parameters of the search trials; the
    share is the loss of R2 when one parameter is shuffled among trials the forest has not seen. Empty where there
    are fewer than 12 trials.
    Source: Breiman 2001, "Random forests"; permutation on held-out data as in scikit-learn's user guide.
    """
    searched = [record for record in records if record.kind == "search"]
    names, table = parameter_table(searched)
    if len(searched) < FEWEST or not names:
        return {}
    shares = {}
    for axis in axes(records, info):
        values = np.array([axis.cost(record.validation[axis.name]) for record in searched])
        shares[axis.name] = dict(zip(names, _shares(table, values).tolist(), strict=True))
    return shares


def parameter_table(records: Sequence[TrialRecord]) -> tuple[list[str], np.ndarray]:
    """Return the names of the parameters that vary and their values, (n, k); words become their rank."""
    params = [record.config.to_params() for record in records]
    known = dict.fromkeys(name for each in params for name in each)
    # What a Config leaves out is 0.
    values = {name: [each.get(name, 0) for each in params] for name in known}
    if "resolution" in values:
        # 0 is the whole image, which is larger than any that is named.
        sides = [int(side) for side in values["resolution"]]
        values["resolution"] = [side or max(sides) + 1 for side in sides]
    names = [name for name in known if len(set(values[name])) > 1]
    columns = [_column(values[name]) for name in names]
    return names, np.array(columns, dtype=float).reshape(len(names), len(records)).T


def _column(values: Sequence[int | float | str]) -> list[float]:
    if any(isinstance(value, str) for value in values):
        ranks = {value: rank for rank, value in enumerate(sorted(set(map(str, values))))}
        return [float(ranks[str(value)]) for value in values]
    return [float(value) for value in values]


def _shares(table: np.ndarray, values: np.ndarray) -> np.ndarray:
    lost = np.zeros(table.shape[1])
    for fit, held_out in KFold(FOLDS, shuffle=True, random_state=0).split(table):
        forest = RandomForestRegressor(50, min_samples_leaf=2, random_state=0, n_jobs=1)
        forest.fit(table[fit], values[fit])
        scored = permutation_importance(forest, table[held_out], values[held_out], n_repeats=4, random_state=0)
        lost += np.maximum(scored.importances_mean, 0.0)
    return lost / lost.sum() if lost.sum() > 0 else lost
