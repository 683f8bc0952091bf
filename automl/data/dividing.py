"""Dividing: the splits that a data set does not have are made, stratified and seeded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from automl.data.listing import Entry
from search_spaces.task import SplitName

SHARES: dict[SplitName, float] = {"validation": 0.15, "test": 0.15}
"""Of the pictures that are divided; train gets the others."""


def divided(entries: Sequence[Entry], seed: int) -> tuple[list[Entry], dict[SplitName, str]]:
    """Return the entries with a split each, and for every split that was made what it was made of.

    Pictures without a split are divided into those that are missing; where all have one, what is missing is taken
    from train. Every class keeps its share of every split as nearly as counts allow.

    Args:
        entries: What a data set lists.
        seed: Seeds who goes where.
    """
    there = {entry.split for entry in entries}
    missing = [split for split in SHARES if split not in there]
    free = [entry for entry in entries if entry.split is None]
    pool = free or ([entry for entry in entries if entry.split == "train"] if missing else [])
    moved = _moved(pool, {split: SHARES[split] for split in missing}, np.random.default_rng(seed))
    made: dict[SplitName, str] = dict.fromkeys(missing, "pictures without a split" if free else "train")
    return [replace(entry, split=moved.get(id(entry), entry.split or "train")) for entry in entries], made


def _moved(
    pool: Sequence[Entry], shares: dict[SplitName, float], random: np.random.Generator
) -> dict[int, SplitName]:
    """Return, by ``id``, which of the pool goes to which split that is to be made."""
    # Every entry adds to what each split is owed; class after class, so that each is owed its share of each.
    owed = {split: float(random.random()) for split in shares}
    moved: dict[int, SplitName] = {}
    for entry in _by_class(pool, random):
        owed = {split: debt + shares[split] for split, debt in owed.items()}
        split = max(owed, key=lambda each: owed[each], default=None)
        if split is not None and owed[split] >= 1:
            moved[id(entry)] = split
            owed[split] -= 1
    return moved


def _by_class(pool: Sequence[Entry], random: np.random.Generator) -> list[Entry]:
    """Return the entries in random order within their class: the rarest that they show, which is missed most."""
    counts = Counter(label for entry in pool for label in set(entry.labels))

    def rarest(entry: Entry) -> tuple[int, int]:
        return min(((counts[label], label) for label in entry.labels), default=(0, -1))

    return sorted((pool[i] for i in random.permutation(len(pool))), key=rarest)
