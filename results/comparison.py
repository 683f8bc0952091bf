"""Comparison: a search beside its rivals, all on the same axes, with every way of counting stated."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from results.axes import Axis, axes
from results.hypervolume import share_of
from results.pareto import costs, non_dominated
from results.plain_answers import cloud_model, is_image, is_shared
from results.record import RunInfo, TrialRecord
from results.rival_point import SPLIT_RIVALS, Figures, OnTest, RivalName, RivalPoint
from results.summary import Source
from search_spaces.config import Config
from search_spaces.objective import DEFAULT_OBJECTIVES

TOLERANCE = 0.01
"""How far below the cloud model's quality counts as its quality where rivals are compared."""
MORE_HYPERVOLUME, DOMINATED, BYTES_SAVED, FLOPS_SAVED = 1.15, 0.95, 0.68, 0.42
"""What is wanted of a search: hypervolume over all rivals' together, share of split rivals' points, savings."""


@dataclass(frozen=True)
class Entry:
    """One point of a contender.

    Attributes:
        words: What it is.
        validation: Its figures on the view's data split.
        gap: Paired bootstrap 95 % interval of (quality - the cloud model's); None on validation.
        is_shared: It computes on the edge and sends something.
    """

    words: str
    validation: Figures
    gap: tuple[float, float] | None = None
    is_shared: bool = False

    def as_good_as(self, cloud: float) -> bool:
        """Return whether its quality is within the tolerance of the cloud model's."""
        return self.validation.quality >= cloud - TOLERANCE

    @property
    def surely_good(self) -> bool:
        """Whether the lower end of the gap's interval is within the tolerance, too."""
        return self.gap is not None and self.gap[0] >= -TOLERANCE


@dataclass(frozen=True)
class Saving:
    """What one shared configuration of the search saves against the cheapest rivals of the same quality.

    Attributes:
        rule: When a quality counts as the cloud model's.
        best: The search's; None where none is as good.
        image: The image rival of fewest bytes.
        edge_only: The edge-only rival of fewest multiply-adds.
    """

    rule: str
    best: Entry | None
    image: Entry | None
    edge_only: Entry | None

    @property
    def bytes(self) -> float | None:
        """Share of the image's bytes saved."""
        return _saved(self.best, self.image, "bytes")

    @property
    def edge_flops(self) -> float | None:
        """Share of the edge-only rival's multiply-adds saved."""
        return _saved(self.best, self.edge_only, "edge_flops")


@dataclass(frozen=True)
class View:
    """The search and its rivals on one data split.

    Attributes:
        source: The split.
        search: Which of the search's points count, in words.
        searched: The search's points.
        rivals: Each rival's points.
        cloud: The cloud model's quality on the split.
        axes: Of the hypervolume.
    """

    source: Source
    search: str
    searched: tuple[Entry, ...]
    rivals: Mapping[RivalName, tuple[Entry, ...]]
    cloud: float
    axes: tuple[Axis, ...]

    def volume(self, entries: Sequence[Entry]) -> float:
        """Return the hypervolume of points, as a share of the box."""
        rows = [[axis.cost(each.validation[axis.name]) for axis in self.axes] for each in entries]
        return share_of(np.array(rows, dtype=float).reshape(len(rows), len(self.axes)), self.axes)

    @cached_property
    def hypervolume(self) -> float:
        """The search's."""
        return self.volume(self.searched)

    @cached_property
    def union(self) -> float:
        """That of all rivals together."""
        return self.volume([entry for entries in self.rivals.values() for entry in entries])

    @property
    def ratio(self) -> float | None:
        """The search's over the rivals' together; None where they have none."""
        return self.hypervolume / self.union if self.union else None

    def dominated(self, rival: RivalName) -> tuple[int, int]:
        """Return how many points of a rival's front the search weakly dominates, and how many there are."""
        members = front_of(self.rivals[rival])
        mine = costs(self.searched, DEFAULT_OBJECTIVES)
        beaten = [(mine <= row).all(axis=1).any() for row in costs(members, DEFAULT_OBJECTIVES)]
        return int(sum(beaten)), len(members)

    @cached_property
    def dominated_share(self) -> float | None:
        """Share of the split rivals' fronts' points that the search weakly dominates; None without any."""
        pairs = [self.dominated(rival) for rival in self.rivals if rival in SPLIT_RIVALS]
        total = sum(count for _, count in pairs)
        return sum(beaten for beaten, _ in pairs) / total if total else None

    @cached_property
    def savings(self) -> tuple[Saving, ...]:
        """What the search's best one of the cloud model's quality saves, by every rule."""
        near = f"{self.source}'s quality at most {TOLERANCE:g} below the cloud model's"
        found = [self._saving(near, lambda entry: entry.as_good_as(self.cloud))]
        if self.source == "test":
            sure = f"the 95 % interval of the difference on test above -{TOLERANCE:g}"
            found.append(self._saving(sure, lambda entry: entry.surely_good))
        return tuple(found)

    def _saving(self, rule: str, good: Callable[[Entry], bool]) -> Saving:
        image = _cheapest(filter(good, self.rivals.get("image", ())), "bytes")
        edge_only = _cheapest(filter(good, self.rivals.get("edge only", ())), "edge_flops")
        mine = [Saving(rule, each, image, edge_only) for each in self.searched if each.is_shared and good(each)]
        return max(mine, key=_reach, default=Saving(rule, None, image, edge_only))

    def nearest(self, entries: Sequence[Entry]) -> Entry | None:
        """Return, of points of the cloud model's quality, the one of least share of the plain answers' costs."""
        image, edge_only = self.savings[0].image, self.savings[0].edge_only
        most_bytes = image.validation.bytes if image else 1.0
        most_flops = edge_only.validation.edge_flops if edge_only else 1.0

        def share(entry: Entry) -> float:
            return max(entry.validation.bytes / most_bytes, entry.validation.edge_flops / most_flops)

        return min((each for each in entries if each.as_good_as(self.cloud)), key=share, default=None)


def views(records: Sequence[TrialRecord], info: RunInfo, points: Sequence[RivalPoint]) -> list[View]:
    """Return the comparison on validation, as searched and with the refined finalists, and on test.

    A rival has had a finalist's training; what the search measured within its budget has not.
    """
    cloud = cloud_model(records, info)
    if cloud is None:
        return []
    three = axes(records, replace(info, objectives=DEFAULT_OBJECTIVES))
    searched = [_entry(r, info, Figures.of(r.validation)) for r in records if r.feasible]
    finals = [(r, r.finalist) for r in records if r.feasible and r.finalist]
    refined = [_entry(r, info, Figures.of(f.validation), " refined") for r, f in finals]
    tested = [_entry(r, info, Figures.of(f.test), " refined", f.gap_interval) for r, f in finals]
    theirs = _by_rival(points, lambda point: Entry(point.words, point.validation))
    tested += _own_images(records, info, points)
    on_test = _by_rival([p for p in points if p.test], lambda p: _tested(p.words, p.test))
    here = cloud.validation.quality
    found = [
        View("validation", "as searched", tuple(searched), theirs, here, three),
        View("validation", "with refined finalists", (*searched, *refined), theirs, here, three),
    ]
    if cloud.finalist and on_test:
        found.append(View("test", "finalists", tuple(tested), on_test, cloud.finalist.test.quality, three))
    return found


def front_of(members: Sequence[Entry]) -> list[Entry]:
    """Return the members that no other one beats in quality, edge multiply-adds and bytes."""
    kept = non_dominated(costs(members, DEFAULT_OBJECTIVES))
    return [member for member, keep in zip(members, kept, strict=True) if keep]


def _own_images(records: Sequence[TrialRecord], info: RunInfo, points: Sequence[RivalPoint]) -> list[Entry]:
    """Return the image rivals on test that are trials of the run and no finalists: nothing is trained for them."""
    mine = {r.config: r for r in records if is_image(r) and r.feasible and r.finalist is None}
    theirs = [(Config.from_params(p.settings), p.test) for p in points if p.rival == "image" and p.test]
    found = [(mine[config], test) for config, test in theirs if config in mine]
    return [_entry(record, info, test.figures, gap=test.gap_interval) for record, test in found]


def _entry(
    record: TrialRecord, info: RunInfo, figures: Figures, more: str = "", gap: tuple[float, float] | None = None
) -> Entry:
    return Entry(f"trial {record.number}{more}", figures, gap, is_shared(record, info))


def _tested(words: str, tested: OnTest | None) -> Entry:
    assert tested is not None
    return Entry(words, tested.figures, tested.gap_interval)


def _by_rival(
    points: Sequence[RivalPoint], entry: Callable[[RivalPoint], Entry]
) -> dict[RivalName, tuple[Entry, ...]]:
    names = dict.fromkeys(point.rival for point in points)
    return {name: tuple(entry(point) for point in points if point.rival == name) for name in names}


def _cheapest(entries: Iterable[Entry], cost: str) -> Entry | None:
    return min(entries, key=lambda entry: entry.validation[cost], default=None)


def _saved(own: Entry | None, other: Entry | None, cost: str) -> float | None:
    if own is None or other is None or not other.validation[cost]:
        return None
    return 1 - own.validation[cost] / other.validation[cost]


def _reach(saving: Saving) -> float:
    """Return how far a saving goes towards both targets at once."""
    shares = ((saving.bytes, BYTES_SAVED), (saving.edge_flops, FLOPS_SAVED))
    return min((1.0 if share is None else share / target for share, target in shares))
