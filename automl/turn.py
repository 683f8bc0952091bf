"""Turn: when a claimed trial may be drawn and what its sampler may know, so that processes draw as one would.

```
place       0  1  2 ... 19 | 20 21 ...
generation  0              | 1              each place is drawn after those before it,
known       anchors        | anchors, 0-19  and knows no result of its own generation
```
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

from optuna.trial import FrozenTrial, TrialState

from automl.ledger import POLL_SECONDS, Claim, Ledger
from automl.record import kind_of, place_of


def in_turn(ledger: Ledger, claim: Claim, generation: int) -> Claim | None:
    """Wait until a search trial may be drawn.

    Args:
        ledger: The study's trials.
        claim: The search trial, just begun.
        generation: How many trials in a row know nothing of one another's results.

    Returns:
        The claim with the trials as they are then, and what of them is known; None where a process died and left a
        place before this one: the claim is given up, for that place comes first. Likewise where it was failed from
        outside.
    """
    start = claim.index - claim.index % generation
    trials: Sequence[FrozenTrial] = claim.trials
    while True:
        before = [trial for trial in trials if _is_before(trial, claim.index)]
        if len(before) < claim.index:
            ledger.fail(claim.number, "a place before it was left free")
            return None
        if all(ledger.config(trial) for trial in before) and not _unfinished(trials, start):
            known = [trial for trial in trials if trial.number == claim.number or _is_known(trial, start)]
            return replace(claim, trials=tuple(trials), known=tuple(known))
        time.sleep(POLL_SECONDS)
        trials = ledger.living()
        if not any(trial.number == claim.number for trial in trials if trial.state == TrialState.RUNNING):
            return None


def _is_before(trial: FrozenTrial, index: int) -> bool:
    place = place_of(trial)
    return place is not None and place < index


def _unfinished(trials: Sequence[FrozenTrial], start: int) -> bool:
    """Return whether an anchor or a trial of an earlier generation is still being measured."""
    running = (trial for trial in trials if trial.state == TrialState.RUNNING)
    return any(kind_of(trial) == "anchor" or _is_before(trial, start) for trial in running)


def _is_known(trial: FrozenTrial, start: int) -> bool:
    return kind_of(trial) == "anchor" or _is_before(trial, start)
