"""Crew: the workers of a run while they wait for the search; they train beside the process that began it."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from multiprocessing.reduction import recv_handle, send_handle
from typing import Any

import torch

from automl.board import Board, board_file
from automl.peers import Peers, Posts

State = dict[str, Any]


@dataclass(frozen=True)
class Assignment:
    """What a worker is to train.

    Attributes:
        stage: The training's name, e.g. ``"cloud model"``.
        first: The first step to do.
        steps: How many there are.
        written: The trainee's state before that step, as torch.save writes it.
        rank: The worker's shard.
        count: How many shards there are.
        room: The board's room.
    """

    stage: str
    first: int
    steps: int
    written: bytes
    rank: int
    count: int
    room: int

    @property
    def state(self) -> State:
        """The trainee's state before the first step."""
        state: State = torch.load(io.BytesIO(self.written), weights_only=True)
        return state


class Crew:
    """Workers that wait.

    Args:
        processes: They.
        links: To each of them; sockets, as a board's file goes over them.
        posts: Shared with them.
    """

    def __init__(self, processes: Sequence[BaseProcess], links: Sequence[Connection], posts: Posts) -> None:
        self._processes, self._links, self._posts = processes, links, posts

    def is_enough(self, count: int) -> bool:
        """Return whether there are ``count`` processes, this one among them, that can train side by side."""
        there = hasattr(os, "memfd_create") and len(self._processes) >= count - 1 > 0
        return there and not self.ended(count)

    def ended(self, count: int) -> bool:
        """Return whether one of the first ``count - 1`` workers has ended."""
        return not all(process.is_alive() for process in self._processes[: count - 1])

    def team(self, count: int, room: int) -> Team:
        """Return what trains in ``count`` processes."""
        members = list(zip(self._processes, self._links, strict=True))[: count - 1]
        return Team(members, self._posts, room, lambda: self.ended(count))


class Team:
    """Workers that are to train one model beside this process.

    Args:
        members: They, and the links to them.
        posts: Shared with them.
        room: Of the board that is shared with them.
        ended: Says whether one of them has ended.

    Attributes:
        peers: What this process needs to train beside them, as the first of them.
    """

    def __init__(
        self,
        members: Sequence[tuple[BaseProcess, Connection]],
        posts: Posts,
        room: int,
        ended: Callable[[], bool],
    ) -> None:
        self._members, self._room = members, room
        self._count = len(members) + 1
        self._file = board_file(self._count, room)
        self.peers = Peers(0, posts, Board(os.dup(self._file), self._count, room), self._count, ended)

    def begin(self, stage: str, first: int, steps: int, state: State) -> None:
        """Let them train.

        Args:
            stage: The training's name.
            first: The first step to do.
            steps: How many there are.
            state: The trainee's state before that step.
        """
        written = io.BytesIO()
        torch.save(state, written)
        for rank, (process, link) in enumerate(self._members, start=1):
            assert process.pid is not None
            link.send(Assignment(stage, first, steps, written.getvalue(), rank, self._count, self._room))
            send_handle(link, self._file, process.pid)
        os.close(self._file)


def peers_of(assignment: Assignment, link: Connection, posts: Posts, orphaned: Callable[[], bool]) -> Peers:
    """Return what a worker needs to do what it was assigned."""
    board = Board(recv_handle(link), assignment.count, assignment.room)
    return Peers(assignment.rank, posts, board, assignment.count, orphaned)
