"""Measuring: all rivals of a run on validation, and on test those that are near the cloud model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from automl.exam import Exam
from automl.finalists import NEAR
from automl.reporter import Reporter
from automl.rivals.bench import Bench
from automl.rivals.cascade import Cascade
from automl.rivals.edge_only import EdgeOnly
from automl.rivals.fixed_bottleneck import FixedBottleneck
from automl.rivals.images import Images
from automl.rivals.plain_cut import PlainCut
from automl.rivals.record import RivalRecord
from automl.rivals.rival import Rival
from results.axes import axes
from results.hypervolume import most_share
from results.pareto import costs, non_dominated
from results.plain_answers import cloud_model
from results.rival_point import OnTest, RivalPoint
from search_spaces.objective import DEFAULT_OBJECTIVES

MOST_TESTED = 24
"""Points of one rival that are measured on test, at most; those that together dominate most."""


def rivals_of(bench: Bench) -> list[Rival]:
    """Return the rivals in the order in which they are measured."""
    edge_only, images = EdgeOnly(bench), Images(bench)
    return [images, PlainCut(bench), edge_only, Cascade(bench, edge_only, images), FixedBottleneck(bench)]


@dataclass(frozen=True)
class Measuring:
    """Measures what is not in the record yet; interrupted, it goes on where it stopped.

    Attributes:
        bench: The run.
        record: What is known.
        reporter: Hears of the progress.
    """

    bench: Bench
    record: RivalRecord
    reporter: Reporter

    def run(self) -> None:
        """Measure every rival on validation, then the tested ones on test, once for each."""
        rivals = rivals_of(self.bench)
        for rival in rivals:
            self._validate(rival)
        self._test({rival.name: rival for rival in rivals})
        if not self.record.complete:
            self.record.complete = True
            self.record.save()

    def _validate(self, rival: Rival) -> None:
        parts = rival.parts(self.record.points)
        left = [part for part in parts if not self.record.has(rival.name, part)]
        if not left:
            return
        self.record.complete = False
        self.reporter.stage(rival.name, len(parts))
        for done, part in enumerate(left, start=len(parts) - len(left)):
            self.reporter.advance(done)
            found = [*self.record.of(rival.name), *rival.points(part)]
            # A cascade has thousands of points, and those that another one of it beats tell nothing.
            self.record.keep(rival.name, part, front_of(found) if rival.name == "cascade" else found)
        self.reporter.advance(len(parts))

    def untested(self) -> list[RivalPoint]:
        """Return what is to be measured on test, as far as validation is known."""
        names = [rival.name for rival in rivals_of(self.bench)]
        chosen = [point for name in names for point in self._chosen(self.record.of(name))]
        return [point for point in chosen if point.test is None]

    def _test(self, rivals: dict[str, Rival]) -> None:
        waiting = self.untested()
        if not waiting:
            return
        self.record.complete = False
        exam = Exam(self.bench.plan, self.bench.trial)
        self.reporter.stage("test", len(waiting))
        for done, point in enumerate(waiting):
            self.reporter.advance(done, point.words)
            self.record.renew(point, replace(point, test=self._tested(rivals[point.rival], point, exam)))
        self.reporter.advance(len(waiting))

    def _chosen(self, points: Sequence[RivalPoint]) -> list[RivalPoint]:
        """Return the points of a rival's front that are near the cloud model; the most telling ones of many."""
        whole = cloud_model(self.bench.records, self.bench.info)
        floor = NEAR * whole.validation.quality if whole else 0.0
        near = [point for point in front_of(points) if point.validation.quality >= floor]
        if len(near) <= MOST_TESTED:
            return near
        three = axes(self.bench.records, replace(self.bench.info, objectives=DEFAULT_OBJECTIVES))
        return most_share(near, three, MOST_TESTED, floor)

    def _tested(self, rival: Rival, point: RivalPoint, exam: Exam) -> OnTest:
        answer = rival.answer(point.settings, "test")
        return OnTest(answer.figures(self.bench.plan.task), *exam.intervals(answer.outcome))


def front_of(points: Sequence[RivalPoint]) -> list[RivalPoint]:
    """Return the points that no other one beats on validation in quality, edge multiply-adds and bytes."""
    kept = non_dominated(costs(points, DEFAULT_OBJECTIVES))
    return [point for point, keep in zip(points, kept, strict=True) if keep]
