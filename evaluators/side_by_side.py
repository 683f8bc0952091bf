"""Side by side: the same work on several threads, each of which shares torch's threads out to its own operators."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import torch


def side_by_side(workers: int, threads: int) -> ThreadPoolExecutor:
    """Return a pool of ``workers`` threads whose operators run on ``threads / workers`` threads each.

    A small network's operators are too short to be shared out among threads; whole passes are not.
    """
    return ThreadPoolExecutor(workers, "side-by-side", torch.set_num_threads, (max(1, threads // workers),))
