"""KnownStudy: a study as a sampler sees it, with the trials that it may know and no others."""

from __future__ import annotations

import copy
from collections.abc import Container, Sequence

import optuna
from optuna.trial import FrozenTrial, TrialState


class KnownStudy(optuna.Study):
    """A view of a study for one draw; what is written goes to the study.

    Args:
        study: The study.
        known: All trials that are shown, whether or not the sampler asks for cached ones.
    """

    def __init__(self, study: optuna.Study, known: Sequence[FrozenTrial]) -> None:
        self.__dict__.update(study.__dict__)
        self._known = tuple(known)

    def _get_trials(
        self, deepcopy: bool = True, states: Container[TrialState] | None = None, use_cache: bool = False
    ) -> list[FrozenTrial]:
        shown = [trial for trial in self._known if states is None or trial.state in states]
        return copy.deepcopy(shown) if deepcopy else shown
