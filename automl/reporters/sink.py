"""Sink: where lines go, as long as somebody reads them."""

from __future__ import annotations

import os
from typing import IO


class Sink:
    """Writes whole lines at once; when the reader has gone it falls silent, for a run outlives its listener."""

    def __init__(self, stream: IO[str]) -> None:
        """Write to ``stream``, which stays the caller's to close."""
        self._stream = stream
        self._read = True

    def line(self, text: str) -> None:
        """Write one line and flush it."""
        if not self._read:
            return
        try:
            self._stream.write(text + "\n")
            self._stream.flush()
        except BrokenPipeError:
            self._read = False
            self._discard_rest()

    def _discard_rest(self) -> None:
        # The interpreter flushes its streams at exit and would fail once more on the closed pipe.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self._stream.fileno())
        os.close(nowhere)
