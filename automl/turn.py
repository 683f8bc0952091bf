"""Turn: the right to refine finalists, which one process at a time has, so that test is read once for each."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from automl.heartbeat import Heartbeat
from automl.ledger import POLL_SECONDS, Ledger


@contextmanager
def finals_turn(ledger: Ledger, on_wait: Callable[[], None]) -> Iterator[None]:
    """Wait until no other process refines finalists, then keep the others waiting.

    Args:
        ledger: The study's trials; a turn is one of them, so that a dead process loses it as it loses a trial.
        on_wait: Called once where there is something to wait for.
    """
    claim = ledger.claim_finals()
    try:
        with Heartbeat(ledger, claim.trial_id):
            if not ledger.first_of_finals(claim):
                on_wait()
            while not ledger.first_of_finals(claim):
                time.sleep(POLL_SECONDS)
            yield
    finally:
        ledger.fail(claim.number, "no trial: the finalists were refined meanwhile")
