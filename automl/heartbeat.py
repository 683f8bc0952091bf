"""Heartbeat: a thread that says every few seconds that the trial in flight is still being measured."""

from __future__ import annotations

import threading
from types import TracebackType

from sqlalchemy.exc import SQLAlchemyError

from automl.ledger import Ledger
from automl.storage import HEARTBEAT_SECONDS


class Heartbeat:
    """Beats for one trial inside a ``with`` block; other machines fail a trial whose heartbeats stop."""

    def __init__(self, ledger: Ledger, trial_id: int) -> None:
        self._ledger = ledger
        self._trial_id = trial_id
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True)

    def __enter__(self) -> Heartbeat:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()

    def _beat(self) -> None:
        while not self._ended.wait(HEARTBEAT_SECONDS):
            try:
                self._ledger.beat(self._trial_id)
            except SQLAlchemyError:
                # The storage may be back at the next beat; if not, the result's own write says so to the user.
                continue
