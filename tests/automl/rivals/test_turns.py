"""Turns: each configuration is one process's."""

from __future__ import annotations

import os
from multiprocessing import get_context

import pytest

from automl.rivals.turns import Turns


def take_all(turns: Turns) -> None:
    while turns.claim_last() is not None:
        pass


def test_this_process_begins_at_the_first_and_others_at_the_last() -> None:
    turns = Turns(3)
    assert turns.claim(0) and turns.claim(0)
    assert [turns.claim_last() for _ in range(3)] == [2, 1, None]
    assert turns.holder(0) == os.getpid()


def test_what_another_process_has_is_not_claimed_twice() -> None:
    turns = Turns(2)
    other = get_context("spawn").Process(target=take_all, args=(turns,))
    other.start()
    other.join()
    assert not turns.claim(0)
    assert turns.holder(0) == turns.holder(1) == other.pid
    turns.finish(0)
    assert turns.holder(0) is None and not turns.claim(0)


def test_closed_nothing_is_free_and_what_is_held_stays_so() -> None:
    turns = Turns(2)
    turns.claim(0)
    turns.close()
    assert turns.claim_last() is None and not turns.claim(1)
    assert turns.holder(0) == os.getpid()


def test_a_lock_that_a_killed_process_holds_stops_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("automl.rivals.turns.PATIENCE", 0.01)
    turns = Turns(1)
    turns._lock.acquire()
    assert turns.claim(0)
    turns.finish(0)
    assert turns.holder(0) is None
