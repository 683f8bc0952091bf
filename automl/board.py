"""Board: memory that processes share, in which every shard of a batch has room for what it has found."""

from __future__ import annotations

import mmap
import os
from collections.abc import Sequence

import torch
from torch import Tensor

FIGURE, VALUE = torch.float64, torch.float32
TABLES = 2
"""Used in turn: a shard that has left a meeting may write for the next one while another still reads."""


class Board:
    """A figure and so many values of every shard, twice.

    Args:
        file: Descriptor of a file in memory, as ``board_file`` makes it; it stays open.
        shards: How many there are.
        room: The most values that a shard has.
    """

    def __init__(self, file: int, shards: int, room: int) -> None:
        memory = mmap.mmap(file, _size(shards, room))
        heads = TABLES * shards
        figures = torch.frombuffer(memory, dtype=FIGURE, count=2 * heads + 1)
        self._figures, self._sizes = figures[: 2 * heads].view(2, TABLES, shards)
        self._failures = figures[2 * heads :]
        values = torch.frombuffer(memory, dtype=VALUE, count=heads * room, offset=figures.nbytes)
        self._values = values.view(TABLES, shards, room)

    @property
    def failed(self) -> bool:
        """Whether a process has given up."""
        return bool(self._failures[0])

    def fail(self) -> None:
        """Let every process know that this one has given up."""
        self._failures[0] = 1

    def write(
        self, table: int, shard: int, figure: float, tensors: Sequence[Tensor], like: Sequence[Tensor]
    ) -> None:
        """Leave a shard's figure and tensors, which have the shapes of ``like``."""
        self._figures[table, shard] = figure
        self._sizes[table, shard] = _values(like)
        for place, tensor in zip(self._places(table, shard, like), tensors, strict=True):
            place.copy_(tensor)

    def read(self, table: int, shard: int, like: Sequence[Tensor]) -> tuple[float, list[Tensor]] | None:
        """Return what a shard left, as views of the shapes and strides of ``like``, which have no gaps.

        None where it left something else: it is at another place in the model.
        """
        if int(self._sizes[table, shard]) != _values(like):
            return None
        return float(self._figures[table, shard]), self._places(table, shard, like)

    def _places(self, table: int, shard: int, like: Sequence[Tensor]) -> list[Tensor]:
        values = self._values[table, shard]
        assert _values(like) <= len(values)
        places: list[Tensor] = []
        at = values.storage_offset()
        for tensor in like:
            places.append(values.as_strided(tensor.shape, tensor.stride(), at))
            at += tensor.numel()
        return places


def can_share() -> bool:
    """Return whether this system has files in memory."""
    return hasattr(os, "memfd_create")


def board_file(shards: int, room: int, behind: bytes) -> int:
    """Return the descriptor of a new file in memory: a board, and what else all processes need.

    Raises:
        OSError: there is no such memory.
    """
    file, size = os.memfd_create("eccsearch-board"), _size(shards, room)
    os.truncate(file, size + len(behind))
    with mmap.mmap(file, 0) as whole:
        whole[size:] = behind
    return file


def behind(file: int, shards: int, room: int) -> bytes:
    """Return what lies behind a board."""
    with mmap.mmap(file, 0) as whole:
        return whole[_size(shards, room) :]


def _values(tensors: Sequence[Tensor]) -> int:
    return sum(tensor.numel() for tensor in tensors)


def _size(shards: int, room: int) -> int:
    return FIGURE.itemsize + TABLES * shards * (2 * FIGURE.itemsize + room * VALUE.itemsize)
