"""Stopwatch: how long calls take on a machine that others use too."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np

Call = Callable[[], object]
ROUNDS = 3
SLICE = 0.03
"""Seconds of one call's repeats in one round."""
FEWEST, MOST = 5, 12
PAUSE = 0.002
"""Seconds of sleep before each repeat: samples come one at a time, and whoever waits for the next one, or for the
other end, finds caches and branch predictors cold. Repeated without a pause, small programs take half as long."""
QUANTILE = 0.25
"""Whatever else runs makes a call longer, never shorter; the very shortest is luck."""


def pause() -> None:
    """Wait for the next repeat."""
    time.sleep(PAUSE)


def stopwatch(
    calls: Sequence[Call],
    advance: Callable[[int], None],
    between: Callable[[], None] = pause,
    quantile: float = QUANTILE,
) -> np.ndarray:
    """Return the seconds of each call, (n,): a quantile of its repeats in several rounds over all calls.

    Args:
        calls: What is timed, one after the other, so that a slow moment of the machine hits few repeats of each.
        advance: Called with the number of calls that are done, counting every round.
        between: Called before each repeat, outside its time.
        quantile: Which one; the lower quartile unless given.
    """
    times: list[list[float]] = [[] for _ in calls]
    for turn in range(ROUNDS):
        for index, call in enumerate(calls):
            times[index] += _repeated(call, between)
            advance(turn * len(calls) + index + 1)
    return np.array([np.quantile(each, quantile) for each in times])


def _repeated(call: Call, between: Callable[[], None]) -> list[float]:
    call()
    times: list[float] = []
    while len(times) < FEWEST or (len(times) < MOST and sum(times) < SLICE):
        between()
        began = time.perf_counter()
        call()
        times.append(time.perf_counter() - began)
    return times
