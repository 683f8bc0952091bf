"""Workers: processes that do the same work on the same storage beside this one."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from types import TracebackType
from typing import Any

from automl.crew import LARGEST, Assignment, Crew, Share, share_of
from automl.exit_codes import INTERRUPTED
from automl.peers import PeerLostError, Posts
from deploy.errors import UserError

POLL_SECONDS = 1.0

Orphaned = Callable[[], bool]
"""Says whether the process that started this one is gone."""
Helping = Callable[..., None]
"""Called with the worker's arguments and a Share: does a part of a training."""


class Workers:
    """Processes beside this one, from the beginning of a ``with`` block to their own end after it.

    They wait until they are released; until then they are a crew that helps to train. One that dies does not end
    the others: its trial is failed, and they measure it anew. Each has a process group of its own, so that the
    terminal's Ctrl-C reaches this process alone, which passes it on.

    Forked, they share with this process what it has loaded so far. That is for a process that has computed nothing
    yet: a fork waits for ever for OpenMP's threads, which it lacks. Any other starts them anew.

    Args:
        work: What each does, called with ``arguments`` and what says whether this process is gone; returns an exit
            code.
        arguments: They are pickled where the processes are not forked.
        count: How many.
        forked: Whether they are forked; Linux alone does so safely.
        helping: How they train while they wait.

    Attributes:
        crew: They, while they wait.
    """

    def __init__(
        self,
        work: Callable[..., int],
        arguments: Sequence[Any],
        count: int,
        forked: bool = False,
        helping: Helping | None = None,
    ) -> None:
        context = (
            multiprocessing.get_context("fork")
            if forked and sys.platform == "linux"
            else multiprocessing.get_context("spawn")
        )
        side = min(count + 1, LARGEST)
        # Kept: a worker that starts up opens them by name.
        self._posts = [[context.Semaphore(0) for _ in range(side)] for _ in range(side)]
        pairs = [context.Pipe() for _ in range(count)]
        self._links, self._ends = [ours for ours, _ in pairs], [theirs for _, theirs in pairs]
        # A forked worker holds all that is open here: what is not its own would hide that its parent is gone.
        inherited = [*self._links, *self._ends] if context.get_start_method() == "fork" else []
        given = (work, helping, tuple(arguments), self._posts, os.getpid())
        self._processes: list[BaseProcess] = [
            context.Process(target=_main, args=(*given, end, [each for each in inherited if each is not end]))
            for end in self._ends
        ]
        self.crew = Crew(self._processes, self._links, self._posts) if helping else None
        self._released = False

    def __enter__(self) -> Workers:
        # What a collection touches would no longer be shared with the forked.
        gc.freeze()
        try:
            with _held_back(signal.SIGINT):
                for process in self._processes:
                    process.start()
        except BaseException:
            self.interrupt()
            self._join()
            raise
        finally:
            gc.unfreeze()
            for end in self._ends:
                end.close()
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
        for link in self._links:
            # One that has ended needs no release.
            with suppress(OSError):
                link.send(None)

    def interrupt(self) -> None:
        """Ask all that are left to end as Ctrl-C does; what they have in flight is failed."""
        for process in self._processes:
            if process.pid is not None and process.is_alive():
                os.kill(process.pid, signal.SIGINT if self._released else signal.SIGTERM)
                os.kill(process.pid, signal.SIGCONT)

    def live(self, pid: int | None) -> bool:
        """Return whether a process is one of them and works."""
        return pid is not None and any(each.pid == pid and each.is_alive() for each in self._processes)

    @property
    def failure(self) -> str:
        """Say that some ended before their work was done; empty where none did."""
        if not any(self.codes):
            return ""
        return f"Workers ended with exit codes {', '.join(map(str, self.codes))}; this one did the rest."

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


@contextmanager
def _held_back(number: signal.Signals) -> Iterator[None]:
    """Let a signal wait: processes that are started meanwhile hear of it when they are ready for it."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {number})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class _OrphanedError(Exception):
    """The process that started this one is gone."""


def _main(
    work: Callable[..., int],
    helping: Helping | None,
    arguments: tuple[Any, ...],
    posts: Posts,
    parent: int,
    link: Connection,
    inherited: Sequence[Connection],
) -> None:
    orphaned = orphan_of(parent)
    try:
        _settle(inherited)
        while (assignment := _next(link, orphaned)) is not None:
            assert helping is not None
            _help(helping, arguments, share_of(assignment, link, posts, orphaned))
        code = work(*arguments, orphaned)
    except (UserError, OSError) as error:
        print(f"eccsearch: {error}", file=sys.stderr)
        code = 2
    except (KeyboardInterrupt, _OrphanedError):
        code = INTERRUPTED
    sys.exit(code)


def _settle(inherited: Sequence[Connection]) -> None:
    os.setpgid(0, 0)
    for each in inherited:
        each.close()
    # What a live view put in their places works in the parent alone.
    sys.stdout, sys.stderr = sys.__stdout__, sys.__stderr__
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    # A shell without job control lets the background ignore interrupts, and this process with it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


def _next(link: Connection, orphaned: Orphaned) -> Assignment | None:
    """Return what this worker is asked to train; None once it is released."""
    try:
        while not link.poll(POLL_SECONDS):
            if orphaned():
                raise _OrphanedError
        asked: Assignment | None = link.recv()
    except (EOFError, ConnectionResetError):
        raise _OrphanedError from None
    return asked


def _help(helping: Helping, arguments: tuple[Any, ...], share: Share) -> None:
    # Where another process has ended, the one that began the training goes on without this one.
    with suppress(PeerLostError):
        helping(*arguments, share)
