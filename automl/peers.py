r"""Peers: the processes that train one model side by side, as one of them sees them.

```
process 0:  shard 0 --> model --> gradients --\            /--> mean --> the same step
                                               +--> board -+
process 1:  shard 1 --> copy  --> gradients --/            \--> mean --> the same step
```

Each holds the whole model and takes the gradients of its own shard; what they exchange is summed in the shards'
order by each, so the copies stay the same bit for bit (synchronous data parallelism, as in Li et al. 2020, arXiv
2006.15704).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from multiprocessing.synchronize import Semaphore

from torch import Tensor

from automl.board import TABLES, Board
from automl.meeting import AWAKE, Part

POLL_SECONDS = 0.5
Posts = Sequence[Sequence[Semaphore]]
"""``posts[a][b]`` counts how often b came to a meeting that a has not left yet."""


class PeerLostError(Exception):
    """A process that trains beside this one has ended, has given up, or does not come where this one waits."""


class Peers:
    """A Meeting of processes, and the exchange of their gradients.

    Args:
        rank: Which shard this process has.
        posts: Shared by all processes; as many rows as there are shards, or more.
        board: Shared by all processes.
        count: How many shards there are.
        ended: Says whether another process has ended.
        patience: Seconds that this one waits for another.
    """

    def __init__(
        self, rank: int, posts: Posts, board: Board, count: int, ended: Callable[[], bool], patience: float
    ) -> None:
        self.rank, self.count = rank, count
        self._posts, self._board, self._ended, self._patience = posts, board, ended, patience
        self._table = 0

    def gathered(self, shard: int, part: Part) -> list[Part]:
        """Wait for all shards and return their parts, in their order; valid until this one's next meeting.

        Raises:
            PeerLostError: another shard does not come here.
        """
        figure, *tensors = part
        return [(int(count), first, second) for count, (first, second) in self.exchanged(figure, tensors, tensors)]

    def fail(self) -> None:
        """Let nobody wait any longer."""
        self._board.fail()

    def exchanged(
        self, figure: float, tensors: Sequence[Tensor], like: Sequence[Tensor]
    ) -> list[tuple[float, list[Tensor]]]:
        """Return every process's figure and tensors, in the shards' order; valid until this one's next meeting.

        Args:
            figure: This process's.
            tensors: This process's.
            like: Tensors of the shapes that all of them have, and of the strides that they get.

        Raises:
            PeerLostError: another process does not come here.
        """
        table, self._table = self._table, (self._table + 1) % TABLES
        self._board.write(table, self.rank, figure, tensors, like)
        others = [rank for rank in range(self.count) if rank != self.rank]
        for other in others:
            self._posts[other][self.rank].release()
        for other in others:
            self._await(self._posts[self.rank][other])
        every = [self._board.read(table, rank, like) for rank in range(self.count)]
        known = [each for each in every if each is not None]
        if len(known) < self.count:
            raise PeerLostError
        return known

    def _await(self, post: Semaphore) -> None:
        began = time.monotonic()
        while not post.acquire(block=False):
            waited = time.monotonic() - began
            if waited < AWAKE:
                time.sleep(0)
            elif post.acquire(timeout=POLL_SECONDS):
                return
            elif self._board.failed or self._ended() or waited > self._patience:
                raise PeerLostError


def room(parameters: Sequence[Tensor]) -> int:
    """Return how many values a board has room for where these parameters are learnt.

    They are the gradients, and whether each is there. Both of a batch norm's figures a channel go in, as its weight
    and bias are among the parameters.
    """
    return len(parameters) + sum(parameter.numel() for parameter in parameters)
