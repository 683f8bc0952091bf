"""Turn: when a claimed trial may be drawn and what its sampler may know, so that processes draw as one would.

```
place       0 ... 16 17 18 19 | 20 ...
generation  0                 | 1              each place is drawn after those before it; it knows no
known       anchors           | anchors, 0-16  result of its generation, nor of the overlap before
```
"""

from __future__ import annotations

import copy
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from optuna.trial import FrozenTrial, TrialState

from automl.ledger import POLL_SECONDS, Claim, Ledger
from automl.record import kind_of, place_of


def in_turn(ledger: Ledger, claim: Claim, start: int, late: Callable[[], bool]) -> Claim | None:
    """Wait until a search trial may be drawn.

    Args:
        ledger: The study's trials.
        claim: The search trial, just begun.
        start: The place before which every result is to be known.
        late: Says that nothing more is to be begun.

    Returns:
        The claim with the trials as they are then, and what of them is known; None where it was given up: it is too
        late, it was failed from outside, or a process died and left a place before this one, which comes first.
    """
    trials: Sequence[FrozenTrial] = claim.trials
    while True:
        before = [trial for trial in trials if _is_before(trial, claim.index)]
        if len(before) < claim.index:
            ledger.fail(claim.number, "a place before it was left free")
            return None
        if all(ledger.config(trial) for trial in before) and not _unfinished(trials, start):
            return replace(claim, trials=tuple(trials), known=_known(trials, start))
        if late():
            ledger.fail(claim.number, "the time was up before its turn")
            return None
        time.sleep(POLL_SECONDS)
        trials = ledger.living()
        if not any(trial.number == claim.number for trial in trials if trial.state == TrialState.RUNNING):
            return None


def _is_before(trial: FrozenTrial, index: int) -> bool:
    place = place_of(trial)
    return place is not None and place < index


def _unfinished(trials: Sequence[FrozenTrial], start: int) -> bool:
    """Return whether an anchor or a trial that is to be known is still being measured."""
    running = (trial for trial in trials if trial.state == TrialState.RUNNING)
    return any(kind_of(trial) == "anchor" or _is_before(trial, start) for trial in running)


def _known(trials: Sequence[FrozenTrial], start: int) -> tuple[FrozenTrial, ...]:
    """Return copies of the anchors and of the places before ``start``, numbered in that order.

    The numbers that they were given depend on which process was quicker, and some samplers look at them.
    """
    anchors = [trial for trial in trials if kind_of(trial) == "anchor" and trial.state == TrialState.COMPLETE]
    anchors.sort(key=lambda trial: json.dumps(trial.params, sort_keys=True))
    searched = sorted((trial for trial in trials if _is_before(trial, start)), key=lambda t: place_of(t) or 0)
    copies = [copy.copy(trial) for trial in (*anchors, *searched)]
    for number, each in enumerate(copies):
        each.number = number
    return tuple(copies)
