"""Refinement: one process's hold on one finalist, so that test is read once for each."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from automl.heartbeat import Heartbeat
from automl.ledger import Ledger


@contextmanager
def refinement(ledger: Ledger, number: int) -> Iterator[bool]:
    """Hold a finalist; what is yielded says whether this process has it, or another one that was first.

    Args:
        ledger: The study's trials; a hold is one of them, so that a dead process loses it as it loses a trial.
        number: The finalist's trial.
    """
    claim = ledger.claim_finalist(number)
    if claim is None:
        yield False
        return
    try:
        with Heartbeat(ledger, claim.trial_id):
            yield True
    finally:
        ledger.fail(claim.number, f"no trial: trial {number} was refined meanwhile")
