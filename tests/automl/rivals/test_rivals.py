"""The rivals of a tiny run: what each one is, how it goes on, and what is kept."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import typer
from typer.testing import CliRunner, Result

from automl import blueprint as blueprint_module
from automl import live
from automl.blueprint import blueprint
from automl.cli.rivals import rivals
from automl.exit_codes import INTERRUPTED
from automl.reporters.quiet import QuietReporter
from automl.rivals import fixed_bottleneck, measuring
from automl.rivals.bench import Bench, config_of
from automl.rivals.cascade import Cascade, thresholds
from automl.rivals.challenge import challenge
from automl.rivals.edge_only import EdgeOnly
from automl.rivals.fixed_bottleneck import early_split
from automl.rivals.images import Images
from automl.rivals.known import known_challenge
from automl.rivals.measuring import front_of
from automl.rivals.plain_cut import PlainCut, ZstdLink
from automl.rivals.record import measured_rivals, rivals_file
from automl.run import run
from automl.run_reader import read_run
from automl.settings import Effort, RunSettings
from automl.tasks.classification import ClassificationTask, Counts
from automl.work import trial_of
from deploy.errors import UserError
from evaluators.confidence import confidences
from results.rival_point import RivalPoint
from search_spaces.layout import Layout

EFFORT = Effort(cloud_steps=4, teach_steps=2, trial_steps=1, refine_steps=1, finalists=1)


class InterruptedReporter(QuietReporter):
    """Ctrl-C in the middle of a stage."""

    def __init__(self, stage: str, after: int) -> None:
        self._stage, self._after, self._now = stage, after, ""

    def stage(self, name: str, total: int) -> None:
        self._now = name

    def advance(self, done: int, note: str = "") -> None:
        if self._now == self._stage and done >= self._after:
            raise KeyboardInterrupt


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunSettings]:
    torch.set_num_threads(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blueprint_module, "find_task", lambda name: ClassificationTask(counts=Counts(48, 16, 16)))
        patch.setattr(blueprint_module, "ANCHOR_QUALITIES", (50,))
        patch.setattr(fixed_bottleneck, "RATES", (0.5, 4.0))
        patch.setattr(measuring, "MOST_TESTED", 2)
        root = tmp_path_factory.mktemp("runs")
        made = RunSettings("classification", "tiny", root, budget=2, threads=1, effort=EFFORT)
        run(made, QuietReporter())
        yield made


@pytest.fixture(scope="module")
def bench(settings: RunSettings) -> Bench:
    info, records = read_run(settings.folder)
    plan = blueprint(settings)
    return Bench(plan, trial_of(plan, QuietReporter()), records, info)


@pytest.fixture(scope="module")
def points(settings: RunSettings) -> list[RivalPoint]:
    return challenge(settings, QuietReporter()).points


def of(points: list[RivalPoint], rival: str) -> list[RivalPoint]:
    return [point for point in points if point.rival == rival]


def test_a_cut_without_rounding_would_be_the_cloud_model_and_with_it_nearly_is(bench: Bench) -> None:
    images, _ = bench.plan.task.data("train").batch(range(8))
    whole = bench.trial.supernet.cloud(images)[0]
    for split in range(1, bench.info.splits):
        for scale in ("tensor", "channel"):
            found = PlainCut(bench).cut(split, scale)(images)[0]
            assert torch.allclose(found, whole, atol=0.05 * float(whole.abs().max()) + 1e-3), (split, scale)


def test_what_a_plain_cut_sends_arrives_as_it_was(bench: Bench) -> None:
    cut = PlainCut(bench).cut(2, "channel")
    assert cut.edge is not None
    symbols = cut.edge(bench.plan.task.data("validation").batch(range(4))[0])
    arrived, sizes = ZstdLink(cut.symbol_shapes).carry(symbols)
    assert torch.equal(arrived, symbols) and symbols.dtype == torch.uint8
    assert len(sizes) == 4 and all(size > 2 for size in sizes)


def test_the_ends_of_a_cascades_curve_are_the_two_pure_answers(bench: Bench) -> None:
    cascade = Cascade(bench, EdgeOnly(bench), Images(bench))
    part = {"edge": EdgeOnly(bench).parts([])[1], "image": Images(bench).parts([])[0]}
    edge = cascade.edge_only.answer(part["edge"], "validation").figures(bench.plan.task)
    cloud = cascade.images.answer(part["image"], "validation").figures(bench.plan.task)
    curve = [point.validation for point in cascade.points(part)]
    assert curve[0] == edge and curve[0].bytes == 0
    assert (curve[-1].quality, curve[-1].bytes, curve[-1].edge_flops) == (
        pytest.approx(cloud.quality),
        pytest.approx(cloud.bytes),
        edge.edge_flops,
    )


def test_a_curves_points_are_those_of_the_mixed_answers(bench: Bench) -> None:
    cascade = Cascade(bench, EdgeOnly(bench), Images(bench))
    part = {"edge": EdgeOnly(bench).parts([])[2], "image": Images(bench).parts([])[-1]}
    for point in cascade.points(part)[::5]:
        mixed = cascade.answer(point.settings, "validation").figures(bench.plan.task)
        assert mixed.quality == pytest.approx(point.validation.quality)
        assert mixed.bytes == pytest.approx(point.validation.bytes)


def test_thresholds_rise_from_none_sent_to_all_sent() -> None:
    sure = np.random.default_rng(0).random(1000).round(2)
    limits = thresholds(sure)
    shares = [(sure < limit).mean() for limit in limits]
    assert shares[0] == 0 and shares[-1] == 1
    assert shares == sorted(set(shares))


def test_a_bottleneck_is_behind_the_first_stage() -> None:
    skippable = (False,) * 5
    assert early_split(Layout((-1, 0, 0, 1, -1), skippable, 4)) == 3
    assert early_split(Layout((-1, -1, -1, -1, -1), skippable, 4)) == 1
    assert early_split(Layout((-1, -1, -1, -1, 0), skippable, 4)) == 1


def test_every_rival_is_measured(points: list[RivalPoint], bench: Bench) -> None:
    space = bench.plan.whole
    assert len(of(points, "plain cut")) == 2 * (bench.info.splits - 1)
    assert len(of(points, "fixed bottleneck")) == 2 * len(space["stride"].choices)
    assert len(of(points, "image")) == len(Images(bench).parts([]))
    assert len(of(points, "edge only")) == len(EdgeOnly(bench).ladder()) >= 5
    assert of(points, "cascade") == front_of(of(points, "cascade"))


def test_where_the_edge_may_see_a_smaller_image_the_ladder_does_at_each_size(
    settings: RunSettings, bench: Bench
) -> None:
    plan = blueprint(replace(settings, narrowed={"resolution": (24, 48)}))
    ladder = EdgeOnly(Bench(plan, bench.trial, [], bench.info)).ladder()
    assert {config.resolution for config in ladder} == {0, 24}
    whole = [config for config in ladder if config.resolution == 0]
    assert len(ladder) == 2 * len(whole)


def test_what_the_run_has_measured_is_taken_from_it(points: list[RivalPoint], bench: Bench) -> None:
    known = [point for point in of(points, "image") if config_of(point.settings) in bench.known]
    assert known
    for point in known:
        assert point.validation.quality == bench.known[config_of(point.settings)].validation.quality


def test_those_near_the_cloud_model_are_tested_with_intervals(points: list[RivalPoint]) -> None:
    tested = [point.test for point in points if point.test]
    assert tested
    for test in tested:
        assert test.quality_interval[0] <= test.figures.quality <= test.quality_interval[1]
        assert test.gap_interval[0] <= test.gap_interval[1]


def test_an_interrupted_measurement_goes_on_to_the_same_file(
    settings: RunSettings, points: list[RivalPoint], tmp_path: Path
) -> None:
    unbroken = rivals_file(settings.folder).read_bytes()
    shutil.move(rivals_file(settings.folder), tmp_path / "unbroken.json")
    for stage, after in (("cascade", 3), ("test", 1)):
        with pytest.raises(KeyboardInterrupt):
            challenge(settings, InterruptedReporter(stage, after))
        assert measured_rivals(settings.folder) == []
    assert challenge(settings, QuietReporter()).points == points
    again = json.loads(rivals_file(settings.folder).read_text())
    assert again == json.loads(unbroken)


def test_a_second_call_measures_nothing(settings: RunSettings, points: list[RivalPoint]) -> None:
    before = rivals_file(settings.folder).stat().st_mtime_ns
    known = known_challenge(settings.folder)
    assert known is not None and known.points == points
    assert challenge(settings, InterruptedReporter("image", 0)).points == points
    assert rivals_file(settings.folder).stat().st_mtime_ns == before
    assert measured_rivals(settings.folder) == points


def test_a_damaged_file_counts_as_none(settings: RunSettings, points: list[RivalPoint]) -> None:
    file = rivals_file(settings.folder)
    kept = file.read_bytes()
    file.write_bytes(kept[: len(kept) // 2])
    assert measured_rivals(settings.folder) == []
    file.write_bytes(kept)


def test_other_code_than_the_runs_is_refused(
    settings: RunSettings, points: list[RivalPoint], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blueprint_module, "TRIAL_VERSION", 0)
    assert known_challenge(settings.folder) is not None, "what is measured can be read"
    with pytest.raises(UserError, match=r"training\.trial\.version was"):
        challenge(settings, QuietReporter())


def test_confidence_of_a_classification_is_its_greatest_probability(bench: Bench) -> None:
    outcome = EdgeOnly(bench).answer(EdgeOnly(bench).parts([])[0], "validation").outcome
    (sure,) = confidences(outcome.predictions).values()
    assert sure.tolist() == [float(p["scores"].max()) for p in outcome.predictions]


app = typer.Typer()
app.command()(rivals)


def command(settings: RunSettings, *more: str) -> Result:
    return CliRunner().invoke(app, ["--name", settings.name, "--root", str(settings.root), *more])


def test_the_command_prints_tables_words_and_json(settings: RunSettings, points: list[RivalPoint]) -> None:
    text = " ".join(command(settings).stdout.split())
    assert "On validation, the search as searched" in text and "times the hypervolume of all rivals" in text
    document = json.loads(command(settings, "--json").stdout)
    assert [RivalPoint.from_dict(point) for point in document["points"]] == points
    assert (settings.folder.path / "plots" / "front.png").exists()


def test_ctrl_c_leaves_with_its_own_code_and_loses_nothing(
    settings: RunSettings, points: list[RivalPoint], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = rivals_file(settings.folder)
    shutil.move(file, tmp_path / "kept.json")
    monkeypatch.setattr(live, "reporter_for", lambda *_: InterruptedReporter("image", 5))
    assert command(settings).exit_code == INTERRUPTED
    assert len(json.loads(file.read_text())["measured"]) == 5
    shutil.move(tmp_path / "kept.json", file)
