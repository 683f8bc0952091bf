"""Workers: processes that do the same work on the same storage beside this one."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Sequence
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Semaphore
from types import TracebackType
from typing import Any

from deploy.errors import UserError

INTERRUPTED = 130
"""What a shell calls the end of a process by Ctrl-C."""
POLL_SECONDS = 1.0

Orphaned = Callable[[], bool]
"""Says whether the process that started this one is gone."""


class Workers:
    """Processes beside this one, from the beginning of a ``with`` block to their own end after it.

    They wait until they are released. One that dies does not end the others: its trial is failed, and they measure
    it anew. Each has a process group of its own, so that the terminal's Ctrl-C reaches this process alone, which
    passes it on.

    Forked, they share with this process what it has loaded so far. That is for a process that has computed nothing
    yet: a fork waits for ever for OpenMP's threads, which it lacks. Any other starts them anew.

    Args:
        work: What each does, called with ``arguments`` and what says whether this process is gone; returns an exit
            code.
        arguments: They are pickled where the processes are not forked.
        count: How many.
        forked: Whether they are forked; Linux alone does so safely.
    """

    def __init__(
        self, work: Callable[..., int], arguments: Sequence[Any], count: int, forked: bool = False
    ) -> None:
        context = (
            multiprocessing.get_context("fork")
            if forked and sys.platform == "linux"
            else multiprocessing.get_context("spawn")
        )
        self._go = context.Semaphore(0)
        given = (work, tuple(arguments), self._go, os.getpid())
        self._processes: list[BaseProcess] = [context.Process(target=_main, args=given) for _ in range(count)]
        self._released = False

    def __enter__(self) -> Workers:
        # What a collection touches would no longer be shared with the forked.
        gc.freeze()
        try:
            for process in self._processes:
                process.start()
        except BaseException:
            self.interrupt()
            self._join()
            raise
        finally:
            gc.unfreeze()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None or not self._released:
            self.interrupt()
        self.join()

    def release(self) -> None:
        """Let them work: what they need is there."""
        self._released = True
        for _ in self._processes:
            self._go.release()

    def interrupt(self) -> None:
        """Ask all that are left to end as Ctrl-C does; what they have in flight is failed."""
        for process in self._processes:
            if process.pid is not None and process.is_alive():
                os.kill(process.pid, signal.SIGINT if self._released else signal.SIGTERM)

    @property
    def codes(self) -> tuple[int | None, ...]:
        """The exit codes in the order of starting: negative where a signal ended one, None while one works."""
        return tuple(process.exitcode for process in self._processes)

    def join(self) -> None:
        """Wait for their end; Ctrl-C meanwhile interrupts them, too."""
        try:
            self._join()
        except BaseException:
            self.interrupt()
            self._join()
            raise

    def _join(self) -> None:
        for process in self._processes:
            if process.pid is not None:
                process.join()


def orphan_of(parent: int) -> Orphaned:
    """Return what a worker asks to learn whether its parent is gone; one that was killed cannot say so itself."""
    return lambda: os.getppid() != parent


def _main(work: Callable[..., int], arguments: tuple[Any, ...], go: Semaphore, parent: int) -> None:
    os.setpgid(0, 0)
    # What a live view put in their places works in the parent alone.
    sys.stdout, sys.stderr = sys.__stdout__, sys.__stderr__
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    # A shell without job control lets the background ignore interrupts, and this process with it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    orphaned = orphan_of(parent)
    try:
        while not go.acquire(timeout=POLL_SECONDS):
            if orphaned():
                return
        code = work(*arguments, orphaned)
    except (UserError, OSError) as error:
        print(f"eccsearch: {error}", file=sys.stderr)
        code = 2
    except KeyboardInterrupt:
        code = INTERRUPTED
    sys.exit(code)
