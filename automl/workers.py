"""Workers: processes that do the same work on the same storage beside this one."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType


class Workers:
    """Processes of one command, from the beginning of a ``with`` block to their own end after it.

    One that dies does not end the others: its trial is failed, and they measure it anew. Each has a process group
    of its own, so that the terminal's Ctrl-C reaches this process alone, which passes it on.

    Args:
        command: What every worker runs; it opens the same study and runs the same budget.
        count: How many.
        environment: Their environment; this process's where None.
    """

    def __init__(self, command: Sequence[str], count: int, environment: Mapping[str, str] | None = None) -> None:
        self._command, self._count, self._environment = list(command), count, environment
        self._processes: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Workers:
        environment = None if self._environment is None else dict(self._environment)
        for _ in range(self._count):
            self._processes.append(subprocess.Popen(self._command, env=environment, process_group=0))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self.interrupt()
        for process in self._processes:
            process.wait()

    def interrupt(self) -> None:
        """Ask all that are left to end as Ctrl-C does; what they have in flight is failed."""
        for process in self._processes:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)

    @property
    def codes(self) -> tuple[int | None, ...]:
        """The exit codes in the order of starting: negative where a signal ended one, None while one works."""
        return tuple(process.poll() for process in self._processes)


def orphan_of(parent: int) -> Callable[[], bool]:
    """Return what a worker asks to learn whether its parent is gone; one that was killed cannot say so itself."""
    return lambda: os.getppid() != parent
