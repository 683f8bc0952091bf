"""Splits that are missing are made: disjoint, seeded, every class in proportion."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from automl.data.dividing import SHARES, divided
from automl.data.listing import Entry

LABELS = st.lists(st.integers(0, 4), min_size=1, max_size=200)


def entries(labels: list[int], split: str | None = None) -> list[Entry]:
    return [Entry(Path(f"{i}.png"), split, (label,)) for i, label in enumerate(labels)]  # type: ignore[arg-type]


@given(LABELS, st.integers(0, 3))
def test_every_class_keeps_its_share_of_every_split(labels: list[int], seed: int) -> None:
    found, made = divided(entries(labels), seed)
    assert [entry.picture for entry in found] == [entry.picture for entry in entries(labels)]
    assert made.keys() == {"validation", "test"}
    for split, share in SHARES.items():
        for label, count in Counter(labels).items():
            mine = sum(entry.split == split and entry.labels == (label,) for entry in found)
            assert abs(mine - share * count) < 2


@given(LABELS)
def test_the_same_seed_divides_alike(labels: list[int]) -> None:
    assert divided(entries(labels), 3) == divided(entries(labels), 3)


def test_what_is_missing_is_taken_from_train() -> None:
    given_ = entries([0, 1] * 20, "train") + entries([0, 1], "test")
    found, made = divided(given_, 0)
    assert made == {"validation": "train"}
    assert Counter(entry.split for entry in found) == {"train": 34, "validation": 6, "test": 2}


def test_splits_that_are_there_stay_as_they_are() -> None:
    given_ = [entry for split in ("train", "validation", "test") for entry in entries([0, 1], split)]
    assert divided(given_, 0) == (given_, {})


def test_the_rarest_class_of_a_picture_counts() -> None:
    given_ = [Entry(Path(f"{i}.png"), None, (0, 1) if i % 4 == 0 else (0,)) for i in range(80)]
    found, _ = divided(given_, 1)
    rare = Counter(entry.split for entry in found if 1 in entry.labels)
    assert rare == {"train": 14, "validation": 3, "test": 3}
