"""Store: a data set decoded and resized once, memory-mapped, so that an epoch costs no decoding.

```
listing --> divided --> shuffled --> decoded, split by split --> pixels.npy (n, 3, S, S) uint8, index.json
```
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.lib.format import open_memmap

from automl.data.decoding import Decoded, decoded
from automl.data.dividing import divided
from automl.data.listing import Entry, Listing, Problem
from automl.reporter import Reporter
from deploy.atomic import atomic, partial_folder
from deploy.cores import available_cores
from deploy.errors import UserError
from search_spaces.task import DataSplit, SplitName, Target

VERSION = 2
"""Raise this whenever a change of the code changes what is kept of the same files."""
ORDER: tuple[SplitName, ...] = ("test", "validation", "train")
"""Of pictures that several splits have, the first of these keeps its own: train gives way."""
AHEAD = 64
"""Pictures that are decoded before they are asked for."""


@dataclass(frozen=True)
class Index:
    """What a store holds.

    Attributes:
        form: The data set's format.
        detection: Whether pictures have boxes.
        classes: Names, by index.
        made: Splits that were made here, and of what.
        samples: For every split, its samples: file, labels and boxes in pixels of the model's input.
        problems: File and what became of it.
        digest: sha256 of all that shapes a training on it: pixels, labels and boxes.
    """

    form: str
    detection: bool
    classes: tuple[str, ...]
    made: dict[str, str]
    samples: dict[str, list[dict[str, Any]]]
    problems: tuple[tuple[str, str], ...]
    digest: str

    def __str__(self) -> str:
        counts = ", ".join(f"{len(self.samples[split])} {split}" for split in reversed(ORDER))
        made = "".join(f"; {split} made of {origin}" for split, origin in self.made.items())
        problems = f"; {len(self.problems)} problems, 'eccsearch data check' names them" if self.problems else ""
        return f"{self.form}, {len(self.classes)} classes, {counts}{made}{problems}."


class Store:
    """A data set on disk, ready to be trained on.

    Args:
        folder: Where ``build`` put it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        content = json.loads((folder / "index.json").read_text())
        content["classes"] = tuple(content["classes"])
        content["problems"] = tuple(tuple(each) for each in content["problems"])
        self.index = Index(**content)
        # Copy-on-write: torch wants arrays that it may write to.
        self._pixels = np.load(folder / "pixels.npy", mmap_mode="c")
        if len(self._pixels) < sum(map(len, self.index.samples.values())):
            raise ValueError("pictures are missing")
        self._splits: dict[SplitName, DataSplit] = {}

    def split(self, name: SplitName) -> DataSplit:
        """Return one split; its images are the file's own pages."""
        if name not in self._splits:
            self._splits[name] = self._read(name)
        return self._splits[name]

    def _read(self, name: SplitName) -> DataSplit:
        start = sum(len(self.index.samples[split]) for split in ORDER[: ORDER.index(name)])
        samples = self.index.samples[name]
        images = torch.from_numpy(self._pixels[start : start + len(samples)])
        return DataSplit(name, images, tuple(_target(sample, self.index.detection) for sample in samples))


def stored(listing: Listing, side: int, seed: int, cache: Path, reporter: Reporter) -> Store:
    """Return the store of a data set at one image size: as it was kept, or made now.

    Raises:
        UserError: a split would be empty, or fewer than two classes are left to tell apart.
    """
    folder = cache / f"data-{_key(listing, side, seed)}"
    if (folder / "index.json").exists():
        try:
            return Store(folder)
        except (OSError, ValueError, KeyError, TypeError) as error:
            reporter.say(f"decoded data set {folder} is damaged ({error}): it is decoded again")
    _build(listing, side, seed, folder, reporter)
    return Store(folder)


def _key(listing: Listing, side: int, seed: int) -> str:
    """Return the hash of what the store is made of; a file is known by its size and time."""
    files = {path for entry in listing.entries for path in (entry.picture, entry.source) if path is not None}
    stats = [(str(path), stat.st_size, stat.st_mtime_ns) for path in sorted(files) if (stat := _stat(path))]
    made_of = (
        VERSION,
        side,
        seed,
        listing.form,
        listing.classes,
        stats,
        [entry.split for entry in listing.entries],
    )
    return hashlib.sha256(repr(made_of).encode()).hexdigest()[:16]


def _stat(path: Path) -> os.stat_result | None:
    return path.stat() if path.exists() else None


def _build(listing: Listing, side: int, seed: int, folder: Path, reporter: Reporter) -> None:
    entries, made = divided(listing.entries, seed)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with partial_folder(folder) as partial:
        builder = _Builder(listing, side, len(entries), partial)
        reporter.stage("data", len(entries))
        for done, (entry, found) in enumerate(_decoded(_in_order(entries, seed), side), 1):
            builder.add(entry, found)
            if done % AHEAD == 0:
                # What is written through a map leaves the folder's time as it was, and old ones are swept away.
                os.utime(partial)
            reporter.advance(done, f"{len(builder.problems)} problems" if builder.problems else "")
        builder.finish(made)
        folder.mkdir(exist_ok=True)
        for name in ("pixels.npy", "index.json"):
            (partial / name).replace(folder / name)


def _in_order(entries: Sequence[Entry], seed: int) -> list[Entry]:
    """Return entries split by split, each shuffled: a split's first samples stand for all, as of every Task."""
    shuffled = [entries[i] for i in np.random.default_rng(seed).permutation(len(entries))]
    return [entry for split in ORDER for entry in shuffled if entry.split == split]


def _decoded(entries: Sequence[Entry], side: int) -> Iterator[tuple[Entry, Decoded | Problem]]:
    """Decode on all cores (Pillow lets go of the interpreter), a few pictures ahead, in order."""
    with ThreadPoolExecutor(available_cores(), "decoding") as pool:
        for start in range(0, len(entries), AHEAD):
            some = entries[start : start + AHEAD]
            yield from zip(some, pool.map(lambda entry: decoded(entry, side), some), strict=True)


class _Builder:
    """Writes what can be used and notes what cannot."""

    def __init__(self, listing: Listing, side: int, count: int, folder: Path) -> None:
        self._listing, self._folder = listing, folder
        self._pixels = open_memmap(folder / "pixels.npy", "w+", np.uint8, (count, 3, side, side))
        # A full disk is told of here; later the map would end the process.
        _reserve(folder / "pixels.npy")
        self._samples: dict[str, list[dict[str, Any]]] = {split: [] for split in ORDER}
        self._seen: dict[str, tuple[str, Path]] = {}
        self._content = hashlib.sha256(repr(listing.classes).encode())
        self.problems = list(listing.problems)

    def add(self, entry: Entry, found: Decoded | Problem) -> None:
        """Take the next picture of the splits in their order."""
        if isinstance(found, Problem):
            self.problems.append(found)
            return
        assert entry.split is not None
        split, first = self._seen.setdefault(found.digest, (entry.split, entry.picture))
        if split != entry.split:
            self.problems.append(Problem(entry.picture, f"is {first} of {split}, too: dropped from {entry.split}"))
            return
        self.problems += found.problems
        row = sum(map(len, self._samples.values()))
        self._pixels[row] = found.pixels.transpose(2, 0, 1)
        sample = {"file": str(entry.picture), "labels": list(found.labels)}
        if found.boxes is not None:
            sample["boxes"] = found.boxes.tolist()
        self._samples[entry.split].append(sample)
        self._content.update(found.digest.encode() + json.dumps([sample["labels"], sample.get("boxes")]).encode())

    def finish(self, made: dict[SplitName, str]) -> None:
        """Write the index.

        Raises:
            UserError: a split is empty, or there are fewer than two classes to tell apart.
        """
        self._check()
        self._pixels.flush()
        index = Index(
            self._listing.form,
            self._listing.detection,
            self._listing.classes,
            {str(split): origin for split, origin in made.items()},
            self._samples,
            tuple(sorted((str(problem.file), problem.what) for problem in self.problems)),
            self._content.hexdigest(),
        )
        with atomic(self._folder / "index.json") as path:
            path.write_text(json.dumps(vars(index)))

    def _check(self) -> None:
        first = f"; first of {len(self.problems)} problems: {self.problems[0]}" if self.problems else ""
        empty = [split for split in ORDER if not self._samples[split]]
        if empty:
            raise UserError(f"the data set leaves no picture for {' and '.join(empty)}: add some{first}")
        shown = {label for sample in self._samples["train"] for label in sample["labels"]}
        if not self._listing.detection and len(shown) < 2:
            raise UserError(f"the data set shows one class alone in train: nothing can be told apart{first}")
        if not shown:
            raise UserError(f"the data set has no box in train: nothing can be learnt{first}")


def _reserve(path: Path) -> None:
    if hasattr(os, "posix_fallocate"):
        with path.open("r+b") as file:
            os.posix_fallocate(file.fileno(), 0, path.stat().st_size)


def _target(sample: dict[str, Any], detection: bool) -> Target:
    labels = torch.tensor(sample["labels"], dtype=torch.int64)
    if not detection:
        return {"label": labels[0]}
    return {"boxes": torch.tensor(sample["boxes"], dtype=torch.float32).reshape(-1, 4), "labels": labels}
