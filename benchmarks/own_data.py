"""What a finished run on a data set of one's own reached on test, by any tolerance and within any limits.

    python benchmarks/own_data.py runs cells --tolerance 0.02 --max-bytes 170 --max-share 0.18

Every refined configuration with a part on the edge and one in the cloud: its quality on test, what it is below the
cloud model with the paired bootstrap 95 % interval, its bytes and its share of the whole model's multiply-adds on
the edge. A configuration is as good as the cloud model where the difference is at least -``--tolerance``, surely so
where the interval's lower end is. What it saves is told against the plain answers that are as good by that rule:
in each image format the setting of fewest bytes, looked for on test among those that the run measured, cheapest
first, from the first whose quality on validation is less than ``--near`` further below the cloud model's than the
tolerance; and the smallest edge-only configuration among those that the run refined.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from members import KeptRun, kept_run
from report import Cell, Table, emit

from automl.exam import Exam
from results.naming import sent
from results.plain_answers import cloud_model, image_frontiers, is_edge_only, is_shared
from results.record import Finalist, TrialRecord


@dataclass(frozen=True)
class Tested:
    """A configuration on test.

    Attributes:
        record: Its trial.
        quality: On test.
        gap: Its quality minus the cloud model's.
        interval: Paired bootstrap 95 % interval of the gap.
        bytes: Mean a sample.
        share: Of the whole model's multiply-adds, on the edge.
    """

    record: TrialRecord
    quality: float
    gap: float
    interval: tuple[float, float]
    bytes: float
    share: float


Rule = Callable[[Tested], float]
"""What must not be below the negative tolerance."""
RULES: dict[str, Rule] = {"difference": lambda each: each.gap, "interval": lambda each: each.interval[0]}


@dataclass(frozen=True)
class Answers:
    """A run's refined configurations, and the images that are looked for.

    Attributes:
        run: The run.
        cloud: The cloud model, measured on test.
        tested: All that the run measured on test.
    """

    run: KeptRun
    cloud: Finalist
    tested: list[Tested]

    @classmethod
    def of(cls, run: KeptRun) -> Answers:
        """Read a run.

        Raises:
            SystemExit: it has measured nothing on test.
        """
        whole = cloud_model(run.records, run.info)
        if whole is None or whole.finalist is None:
            raise SystemExit(f"run '{run.info.name}' has not measured its cloud model on test: refine finalists")
        bar = whole.finalist.test.quality
        pairs = [(record, record.finalist) for record in run.records if record.finalist]
        return cls(run, whole.finalist, [_tested(run, record, each, bar) for record, each in pairs])

    def shared(self) -> list[Tested]:
        """Return those with a part on the edge and one in the cloud, by rising bytes."""
        found = [each for each in self.tested if is_shared(each.record, self.run.info)]
        return sorted(found, key=lambda each: each.bytes)

    def edge_only(self, rule: Rule, tolerance: float) -> Tested:
        """Return the smallest edge-only configuration that is as good as the cloud model, perhaps that itself."""
        good = [t for t in self.tested if is_edge_only(t.record, self.run.info) and rule(t) >= -tolerance]
        return min(good, key=lambda each: each.share)

    def images(self, rule: Rule, tolerance: float, near: float) -> Iterator[tuple[str, Tested]]:
        """Yield the cheapest image of each format that is as good as the cloud model."""
        whole = cloud_model(self.run.records, self.run.info)
        assert whole is not None
        least = whole.validation.quality - tolerance - near
        exam = Exam(self.run.plan, self.run.trial)
        for name, frontier in image_frontiers(self.run.records).items():
            likely = sorted(
                (r for r in frontier if r.validation.quality >= least), key=lambda r: r.validation.bytes
            )
            tested = (self._image(exam, record) for record in likely)
            found = next((each for each in tested if rule(each) >= -tolerance), None)
            if found is not None:
                yield name, found

    def _image(self, exam: Exam, record: TrialRecord) -> Tested:
        known = next((each for each in self.tested if each.record.number == record.number), None)
        if known is not None:
            return known
        candidate = self.run.trial.candidate(record.config, 0)
        outcome = self.run.trial.outcome(candidate, exam.data)
        measured = self.run.trial.measured_as(candidate, outcome)
        quality, gap = exam.intervals(outcome)
        finalist = Finalist(record.validation, measured, quality, gap)
        return _tested(self.run, record, finalist, self.cloud.test.quality)


def _tested(run: KeptRun, record: TrialRecord, finalist: Finalist, bar: float) -> Tested:
    test = finalist.test
    share = test.edge_flops / run.info.whole_flops
    return Tested(record, test.quality, test.quality - bar, finalist.gap_interval, test.bytes, share)


def member_rows(answers: Answers) -> tuple[tuple[Cell, ...], ...]:
    """Return every refined shared configuration."""
    return tuple((*_ends(each), *_figures(each)) for each in answers.shared())


def _ends(each: Tested) -> tuple[Cell, ...]:
    return each.record.number, each.record.config.split, sent(each.record.config)


def _figures(each: Tested) -> tuple[Cell, ...]:
    return each.quality, each.gap, *each.interval, each.bytes, 100 * each.share


def rule_rows(answers: Answers, name: str, options: argparse.Namespace) -> Iterator[tuple[Cell, ...]]:
    """Yield what the best configuration by one rule saves, without and within the limits."""
    rule = RULES[name]
    edge = answers.edge_only(rule, options.tolerance)
    images = [*answers.images(rule, options.tolerance, options.near)]
    yield (
        name,
        f"edge-only trial {edge.record.number}",
        edge.quality,
        edge.gap,
        0.0,
        100 * edge.share,
        None,
        None,
        None,
    )
    for form, each in images:
        yield name, f"{form}, trial {each.record.number}", each.quality, each.gap, each.bytes, 0.0, None, None, None
    good = [each for each in answers.shared() if rule(each) >= -options.tolerance]
    for words, members in (("best", good), ("best within the limits", [e for e in good if _within(e, options)])):
        if members:
            yield _saving_row(name, words, members, edge, dict(images))


def _within(each: Tested, options: argparse.Namespace) -> bool:
    return each.bytes <= options.max_bytes and each.share <= options.max_share


def _saving_row(
    rule: str, words: str, members: Sequence[Tested], edge: Tested, images: dict[str, Tested]
) -> tuple[Cell, ...]:
    least = min((each.bytes for each in images.values()), default=None)
    plainer = [each.bytes for form, each in images.items() if form != "avif"]

    def saved(each: Tested, cost: float | None) -> float:
        return 1.0 if cost is None else 1 - each.bytes / cost

    best = max(members, key=lambda each: min((1 - each.share / edge.share) / 0.42, saved(each, least) / 0.68))
    bytes_saved = [
        None if cost is None else 100 * saved(best, cost) for cost in (least, min(plainer, default=None))
    ]
    flops_saved = 100 * (1 - best.share / edge.share)
    what = f"{words}: trial {best.record.number}"
    return rule, what, best.quality, best.gap, best.bytes, 100 * best.share, flops_saved, *bytes_saved


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", type=Path)
    parser.add_argument("name")
    parser.add_argument("--tolerance", type=float, default=0.02, help="Below the cloud model's quality.")
    parser.add_argument("--near", type=float, default=0.03, help="Further below on validation: not looked at.")
    parser.add_argument("--max-bytes", type=float, default=float("inf"), help="A limit.")
    parser.add_argument("--max-share", type=float, default=1.0, help="A limit: of the whole model's multiply-adds.")
    parser.add_argument("--json", action="store_true", help="Print unrounded JSON.")
    return parser.parse_args()


def main() -> None:
    options = parsed()
    answers = Answers.of(kept_run(options.root, options.name))
    low, high = answers.cloud.quality_interval
    title = (
        f"{answers.run.info.task}: cloud model {answers.cloud.test.quality:.4f} on test ({low:.4f} to {high:.4f})"
    )
    ends = ("quality", "minus the cloud's", "from", "to", "bytes", "% of multiply-adds")
    saving = ("edge multiply-adds saved, %", "bytes saved, %", "against JPEG and WebP, %")
    rows = tuple(row for rule in RULES for row in rule_rows(answers, rule, options))
    tables = [
        Table(title, ("trial", "split", "sent", *ends), member_rows(answers)),
        Table(
            f"Within {options.tolerance:g} of it",
            ("rule", "what", "quality", "minus the cloud's", "bytes", "% of multiply-adds", *saving),
            rows,
        ),
    ]
    emit(tables, options.json)


if __name__ == "__main__":
    main()
