"""Crew: the workers of a run while they wait for the search; they train beside the process that began it."""

from __future__ import annotations

import io
import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from multiprocessing.reduction import recv_handle, send_handle
from typing import Any

import torch
from torch import Tensor

from automl.board import VALUE, Board, behind, board_file, can_share
from automl.peers import PeerLostError, Peers, Posts

PATIENCE = 120.0
"""Seconds that the process which began a training waits for a worker, which may only be starting up."""
LARGEST = 8
"""The most processes that train side by side."""
State = dict[str, Any]


@dataclass(frozen=True)
class Assignment:
    """What a worker is to train; a file with the board and the trainee's state comes after it.

    Attributes:
        stage: The training's name, e.g. ``"cloud model"``.
        first: The first step to do.
        steps: How many there are.
        threads: Of each process.
        rank: The process's shard; 0 is that of the process which began the training.
        count: How many shards there are.
        room: The board's room.
    """

    stage: str
    first: int
    steps: int
    threads: int
    rank: int
    count: int
    room: int


@dataclass(frozen=True)
class Share:
    """A worker's part of a training, with all that it needs.

    Attributes:
        assignment: What it is.
        state: The trainee's state before the first step.
        peers: The other processes.
    """

    assignment: Assignment
    state: State
    peers: Peers


class Crew:
    """Workers that wait; those who lost one another train no more.

    Args:
        processes: Of the workers, in the order of their ranks.
        links: To each of them; sockets, as a board's file goes over them.
        posts: Shared with them.
    """

    def __init__(self, processes: Sequence[BaseProcess], links: Sequence[Connection], posts: Posts) -> None:
        self._processes, self._links, self._posts = processes, links, posts
        self._lost = False

    def can_train(self, count: int, parameters: Sequence[Tensor]) -> bool:
        """Return whether ``count`` processes, this one among them, can train such parameters side by side."""
        there = can_share() and not self._lost and 1 < count <= min(LARGEST, len(self._processes) + 1)
        return there and all(parameter.dtype is VALUE for parameter in parameters) and not self._ended(count)

    def begin(self, assignment: Assignment, state: State) -> Peers:
        """Let workers train, and return what this process needs to train as the first of them.

        Args:
            assignment: This process's, of rank 0.
            state: The trainee's state before the first step.

        Raises:
            PeerLostError: a worker has ended, or there is no memory to share.
        """
        count, space = assignment.count, assignment.room
        try:
            file = board_file(count, space, _written(state))
        except OSError as error:
            raise PeerLostError from error
        board = Board(file, count, space)
        try:
            for rank in range(1, count):
                self._assign(replace(assignment, rank=rank), file)
        except OSError as error:
            board.fail()
            raise PeerLostError from error
        finally:
            os.close(file)
        return Peers(0, self._posts, board, count, lambda: self._ended(count), PATIENCE)

    def give_up(self) -> None:
        """Let them train no more: what they left of a training that failed would be taken for the next one's."""
        self._lost = True

    def _assign(self, assignment: Assignment, file: int) -> None:
        process, link = self._processes[assignment.rank - 1], self._links[assignment.rank - 1]
        assert process.pid is not None
        link.send(assignment)
        send_handle(link, file, process.pid)

    def _ended(self, count: int) -> bool:
        return not all(process.is_alive() for process in self._processes[: count - 1])


def share_of(assignment: Assignment, link: Connection, posts: Posts, orphaned: Callable[[], bool]) -> Share:
    """Return a worker's part of a training that it was assigned."""
    file = recv_handle(link)
    try:
        board = Board(file, assignment.count, assignment.room)
        written = behind(file, assignment.count, assignment.room)
    finally:
        os.close(file)
    state = torch.load(io.BytesIO(written), weights_only=True)
    # A worker waits as long as there is somebody to wait for.
    peers = Peers(assignment.rank, posts, board, assignment.count, orphaned, math.inf)
    return Share(assignment, state, peers)


def _written(state: State) -> bytes:
    file = io.BytesIO()
    torch.save(state, file)
    return file.getvalue()
