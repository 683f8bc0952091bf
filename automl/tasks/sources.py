"""The source material of the built-in tasks: scanned digits and photographs that ship with scikit-learn."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from sklearn.datasets import load_digits, load_sample_images

from search_spaces.task import SplitName

SPLITS: tuple[SplitName, ...] = ("train", "validation", "test")
SCAN_SHARES = (0.55, 0.2, 0.25)
"""Shares of the digit scans that train, validation and test own."""
PHOTO_SHARES = (0.6, 0.2, 0.2)
"""Shares of each photograph's width that train, validation and test own."""
CLASSES = tuple(str(digit) for digit in range(10))


@dataclass(frozen=True)
class Source:
    """What one split may draw from; no scan and no pixel of a photograph belongs to two splits.

    Attributes:
        scans: Ink of the scanned digits, uint8 (n, 8, 8), 0 is paper.
        labels: The digit that each scan shows, int64 (n,).
        photos: Regions of the photographs, each uint8 (h, w, 3).
    """

    scans: np.ndarray
    labels: np.ndarray
    photos: tuple[np.ndarray, ...]


@lru_cache(maxsize=len(SPLITS))
def source(split: SplitName) -> Source:
    """Return the source material of one split."""
    digits = load_digits()
    own = _own_scans(digits.target, split)
    ink = np.round(digits.images[own] * (255 / 16)).astype(np.uint8)
    temple, flower = load_sample_images().images
    # The flower lies on the left of its photograph, the rest is blur: mirrored, every split gets petals or leaves.
    photos = (_own_region(temple, split), _own_region(flower[:, ::-1], split))
    return Source(ink, digits.target[own].astype(np.int64), photos)


def _own_scans(labels: np.ndarray, split: SplitName) -> np.ndarray:
    order = np.random.default_rng(0).permutation(len(labels))
    mine = [_share(order[labels[order] == digit], SCAN_SHARES, split) for digit in range(len(CLASSES))]
    return np.sort(np.concatenate(mine))


def _own_region(photo: np.ndarray, split: SplitName) -> np.ndarray:
    columns = _share(np.arange(photo.shape[1]), PHOTO_SHARES, split)
    return np.ascontiguousarray(photo[:, columns[0] : columns[-1] + 1])


def _share(items: np.ndarray, shares: tuple[float, ...], split: SplitName) -> np.ndarray:
    bounds = np.round(np.cumsum((0.0, *shares)) * len(items)).astype(int)
    at = SPLITS.index(split)
    return items[bounds[at] : bounds[at + 1]]
