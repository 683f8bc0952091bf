"""Workers: more processes that run the same search on the same storage."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence

POLL_SECONDS = 0.5


def run_workers(
    command: Sequence[str],
    count: int,
    environment: Mapping[str, str] | None = None,
    each_poll: Callable[[], None] | None = None,
) -> tuple[int, ...]:
    """Run ``count`` processes of one command to their end.

    A worker that dies does not end the others: its trial is failed, and they measure it anew. An interrupt is
    passed on to every worker once, and they are waited for; each has a process group of its own, so that the
    terminal's Ctrl-C does not reach it a second time.

    Args:
        command: What every worker runs; it opens the same study and runs the same budget.
        count: How many.
        environment: Their environment; this process's where None. The caller shares out the cores here.
        each_poll: Called twice a second while they work.

    Returns:
        The exit codes in the order the workers were started; negative where a signal ended one.

    Raises:
        KeyboardInterrupt: after all workers have ended.
    """
    workers = [
        subprocess.Popen(list(command), env=None if environment is None else dict(environment), process_group=0)
        for _ in range(count)
    ]
    try:
        _wait(workers, each_poll)
    except BaseException:
        _interrupt(workers)
        _wait(workers, None)
        raise
    return tuple(worker.wait() for worker in workers)


def orphan_of(parent: int) -> Callable[[], bool]:
    """Return what a worker asks to learn whether its parent is gone; one that was killed cannot say so itself."""
    return lambda: os.getppid() != parent


def _wait(workers: Sequence[subprocess.Popen[bytes]], each_poll: Callable[[], None] | None) -> None:
    # All are polled in each round: one that has died must not stay a zombie while another one works.
    while None in [worker.poll() for worker in workers]:
        time.sleep(POLL_SECONDS)
        if each_poll is not None:
            each_poll()


def _interrupt(workers: Sequence[subprocess.Popen[bytes]]) -> None:
    for worker in workers:
        if worker.poll() is None:
            worker.send_signal(signal.SIGINT)
