"""Lessons: what is kept equals what is computed anew."""

from __future__ import annotations

import pytest
import torch

from automl import lessons
from automl.lessons import Lessons, TaughtBatch
from automl.tasks.classification import ClassificationTask
from search_spaces.chain import Chain, chain_of

TAPS = (2, 4)


@pytest.fixture(scope="module")
def cloud(task: ClassificationTask) -> Chain:
    return chain_of(task.cloud_model(), torch.zeros(1, 3, task.image_size, task.image_size))


def _equal(one: TaughtBatch, other: TaughtBatch) -> bool:
    pairs = [(one.images, other.images), *zip(one.lesson.outputs, other.lesson.outputs, strict=True)]
    for split, tap in one.lesson.taps.items():
        pairs += zip(tap, other.lesson.taps[split], strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


def test_a_batch_is_answered_once_and_the_same_as_anew(task: ClassificationTask, cloud: Chain) -> None:
    data, book = task.data("train"), Lessons(task, cloud)
    first = book.batch(data, 8, 5, 1, TAPS)
    assert book.batch(data, 8, 5, 1, TAPS) is first
    assert _equal(first, Lessons(task, cloud).batch(data, 8, 5, 1, TAPS))
    assert not torch.equal(first.images, book.batch(data, 8, 6, 1, TAPS).images)


def test_nothing_is_kept_beyond_the_memory_allowed(
    task: ClassificationTask, cloud: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, book = task.data("train"), Lessons(task, cloud)
    monkeypatch.setattr(lessons, "KEPT_BYTES", book.batch(data, 8, 5, 0, TAPS).nbytes)
    first, again = (book.batch(data, 8, 5, 1, TAPS) for _ in range(2))
    assert first is not again and _equal(first, again)


def test_the_last_tap_and_the_answer_are_the_cloud_models(task: ClassificationTask, cloud: Chain) -> None:
    taught = Lessons(task, cloud).batch(task.data("train"), 8, 5, 0, (len(cloud.blocks) - 1,))
    with torch.no_grad():
        answer = cloud.blocks[-1](*taught.lesson.taps[len(cloud.blocks) - 1])
        whole = cloud(taught.images)
    assert all(torch.equal(a, b) for a, b in zip(answer, taught.lesson.outputs, strict=True))
    assert all(torch.equal(a, b) for a, b in zip(whole, taught.lesson.outputs, strict=True))


def test_a_kept_batch_learns_the_taps_that_are_asked_for_later(task: ClassificationTask, cloud: Chain) -> None:
    data, book = task.data("train"), Lessons(task, cloud)
    assert not book.batch(data, 8, 5, 0, ()).lesson.taps
    assert _equal(book.batch(data, 8, 5, 0, (2,)), Lessons(task, cloud).batch(data, 8, 5, 0, (2,)))
    assert book.batch(data, 8, 5, 0, (4,)).lesson.taps.keys() == {2, 4}
