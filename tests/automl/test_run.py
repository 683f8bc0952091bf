"""A whole run on a small real task: from settings to a verified bundle."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from importlib.metadata import version
from pathlib import Path

import pytest
import torch
from torchvision.models.vision_transformer import VisionTransformer

from automl import blueprint as blueprint_module
from automl import finalists, recipes
from automl.blueprint import blueprint
from automl.bundling import export_trial, verify_bundle
from automl.finalists import Finals
from automl.keeper import Keeper
from automl.refining import refined_trial
from automl.reporters.quiet import QuietReporter
from automl.run import run
from automl.run_reader import read_run
from automl.settings import Effort, RunSettings
from automl.studies import list_studies
from automl.study import Study
from automl.tasks.classification import ClassificationTask, Counts
from automl.taught import supernet_file
from automl.trial import TrialRecipe
from automl.work import open_study, trial_of
from deploy.errors import UserError
from results.chooser import Choice
from results.pareto import pareto_set
from results.plain_answers import cloud_model, is_split
from results.record import Finalist, TrialRecord
from results.summary import summarise

EFFORT = Effort(cloud_steps=4, teach_steps=2, trial_steps=1, refine_steps=1, finalists=2)


def small_task(name: str) -> ClassificationTask:
    assert name == "classification"
    return ClassificationTask(counts=Counts(64, 24, 24))


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blueprint_module, "find_task", small_task)
    monkeypatch.setattr(blueprint_module, "ANCHOR_QUALITIES", (50,))


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One root for the module, so that cloud model and supernet are trained once."""
    return tmp_path_factory.mktemp("runs")


def settings(root: Path, name: str, budget: int = 6) -> RunSettings:
    return RunSettings("classification", name, root, budget=budget, threads=1, effort=EFFORT)


def searched(records: list[TrialRecord]) -> list[tuple]:
    return [(record.config, record.validation) for record in records if record.kind == "search"]


@pytest.fixture(scope="module")
def unbroken(root: Path) -> list[TrialRecord]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blueprint_module, "find_task", small_task)
        patch.setattr(blueprint_module, "ANCHOR_QUALITIES", (50,))
        return run(settings(root, "unbroken"), QuietReporter()).records


def test_the_budget_is_measured_and_the_anchors_come_on_top(unbroken: list[TrialRecord]) -> None:
    kinds = [record.kind for record in unbroken]
    assert kinds.count("search") == 6
    assert kinds.count("anchor") == 1 + 3 * 3


def test_no_configuration_is_measured_twice(unbroken: list[TrialRecord]) -> None:
    configs = [record.config for record in unbroken]
    assert len(configs) == len(set(configs))


def test_a_run_continued_to_its_budget_is_as_one_unbroken(root: Path, unbroken: list[TrialRecord]) -> None:
    run(settings(root, "broken", budget=2), QuietReporter())
    records = run(settings(root, "broken", budget=6), QuietReporter()).records
    assert searched(records) == searched(unbroken)


def test_finalists_are_measured_on_test_with_intervals(unbroken: list[TrialRecord]) -> None:
    finals = [record.finalist for record in unbroken if record.finalist]
    assert len(finals) >= 2
    for final in finals:
        low, high = final.quality_interval
        assert low <= final.test.quality <= high


def test_what_comes_out_lies_in_the_runs_folder(root: Path, unbroken: list[TrialRecord]) -> None:
    folder = root / "unbroken"
    assert json.loads((folder / "pareto.json").read_text())["members"]
    assert (folder / "pareto.csv").read_text().count("\n") > 1
    assert {path.name for path in (folder / "plots").iterdir()} >= {"front.png", "hypervolume.png", "parallel.png"}


def test_the_record_is_read_back_without_the_task(root: Path, unbroken: list[TrialRecord]) -> None:
    made = settings(root, "unbroken")
    info, records = read_run(made.folder)
    assert info.metric == "top-1"
    assert records == unbroken


@pytest.mark.parametrize("kind", ["split", "image", "edge"])
def test_a_trial_leaves_as_a_bundle_that_is_that_trial(
    root: Path, unbroken: list[TrialRecord], tmp_path: Path, kind: str
) -> None:
    where = {"split": range(1, 8), "image": (0,), "edge": (8,)}[kind]
    number = next(record.number for record in unbroken if record.config.split in where)
    export_trial(settings(root, "unbroken"), number, Choice(), tmp_path / "bundle")
    passed, lines = verify_bundle(tmp_path / "bundle", root)
    assert passed, lines


@pytest.mark.parametrize("kind", ["versions.torch", "training.cloud.version"])
def test_a_trial_of_other_code_is_not_built_anew_in_silence(
    kind: str, root: Path, unbroken: list[TrialRecord], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, bundle = settings(root, "unbroken"), tmp_path / "bundle"
    export_trial(made, unbroken[-1].number, Choice(), bundle)
    if kind == "versions.torch":
        monkeypatch.setattr(
            blueprint_module, "version", lambda package: "0" if package == "torch" else version(package)
        )
    else:
        monkeypatch.setattr(blueprint_module, "CLOUD_VERSION", 0)
    for build in (
        lambda **more: export_trial(made, 0, Choice(), bundle, **more),
        partial(verify_bundle, bundle, root),
    ):
        with pytest.raises(
            UserError, match=rf"no trial of run 'unbroken' can be built as it was: {kind} was"
        ) as refusal:
            build()
        assert ("--accept-versions" in str(refusal.value)) == (kind == "versions.torch")
        assert "--new" not in str(refusal.value)
    if kind == "versions.torch":
        assert verify_bundle(bundle, root, frozenset({"versions"}))[0]


def test_another_space_objective_or_effort_is_refused_by_name(root: Path, unbroken: list[TrialRecord]) -> None:
    made = settings(root, "unbroken")
    others = {
        "space.bits": replace(made, narrowed={"bits": (4,)}),
        "objectives": replace(made, objectives=("quality", "bytes")),
        "threads.trial": replace(made, threads=2),
        "threads.training": replace(made, workers=2),
        "training.trial.steps": replace(made, effort=replace(EFFORT, trial_steps=2)),
    }
    for name, other in others.items():
        with pytest.raises(UserError, match=rf"cannot be continued: .*{name}.*--new"):
            run(other, QuietReporter())


def test_another_thread_count_can_be_accepted_and_the_study_says_so(root: Path) -> None:
    made = settings(root, "threads", budget=1)
    run(made, QuietReporter())
    other = replace(made, threads=2, budget=2)
    records = run(other, QuietReporter(), frozenset({"threads"})).records
    torch.set_num_threads(1)
    assert sum(record.kind == "search" for record in records) == 2
    changed = open_study(blueprint(other)).accepted()
    assert [(each["key"], each["old"], each["new"]) for each in changed] == [
        ("threads.trial", 1, 2),
        ("threads.training", 1, 2),
    ]


def test_another_trial_recipe_in_the_code_is_refused(
    root: Path, unbroken: list[TrialRecord], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blueprint_module, "TRIAL_VERSION", 0)
    monkeypatch.setattr(recipes, "TrialRecipe", partial(TrialRecipe, batch=4))
    changed = r"training.trial.version was \d+ and is now 0; training.trial.batch was 16"
    with pytest.raises(UserError, match=changed):
        run(settings(root, "unbroken"), QuietReporter())


def test_more_effort_for_finalists_goes_on_and_those_that_are_measured_keep_theirs(
    root: Path, unbroken: list[TrialRecord]
) -> None:
    made = settings(root, "finals", budget=2)
    before = {record.number: record.finalist for record in run(made, QuietReporter()).records if record.finalist}
    more = replace(made, budget=3, effort=replace(EFFORT, refine_steps=2, finalists=3))
    after = {record.number: record.finalist for record in run(more, QuietReporter()).records if record.finalist}
    assert before.items() <= after.items()
    noted = open_study(blueprint(more)).accepted()
    assert [(each["key"], each["old"], each["new"]) for each in noted] == [("finalists.steps", 1, 2)]


def test_a_trial_refined_by_name_is_the_finalist_that_a_run_makes_of_it(root: Path) -> None:
    by_name, by_run = settings(root, "by-name"), settings(root, "by-run")
    all_of_them = replace(by_run, effort=replace(EFFORT, finalists=99))
    splits = [
        record for record in run(all_of_them, QuietReporter()).records if record.finalist and is_split(record)
    ]
    run(replace(by_name, effort=replace(EFFORT, finalists=0)), QuietReporter())
    number = splits[-1].number
    refined = refined_trial(by_name, number, Choice(), QuietReporter())
    assert refined == replace(splits[-1], seconds=refined.seconds)
    _, records = read_run(by_name.folder)
    assert [record.number for record in records if record.finalist] == [0, number]
    assert f'"trial": {number}' in (by_name.folder.path / "pareto.json").read_text()
    assert refined_trial(by_name, number, Choice(), QuietReporter()) == refined


def test_refining_one_trial_tells_of_test_beside_a_cloud_model_that_is_measured_there_too(root: Path) -> None:
    made = settings(root, "one-told")
    records = run(replace(made, effort=replace(EFFORT, finalists=0)), QuietReporter()).records
    info, _ = read_run(made.folder)
    assert not summarise(records, pareto_set(records, info.objectives), info).refined
    refined_trial(made, next(r.number for r in records if is_split(r)), Choice(), QuietReporter())
    whole = cloud_model(read_run(made.folder)[1], info)
    assert whole is not None and whole.finalist is not None


def test_a_trial_that_is_none_cannot_be_refined(root: Path, unbroken: list[TrialRecord]) -> None:
    with pytest.raises(UserError, match="no finished trial 999; finished trials run up to"):
        refined_trial(settings(root, "unbroken"), 999, Choice(), QuietReporter())
    with pytest.raises(UserError, match="name the trial with --trial N"):
        refined_trial(settings(root, "unbroken"), None, Choice(), QuietReporter())


def gated(root: Path, name: str, budget: int = 3) -> RunSettings:
    """Settings of a run in which the edge answers some samples, by an exit head or by the model's own end."""
    narrowed = {"split": (4, 8), "payload": ("dynamic", "features", "image"), "offload": (0.2, 0.5)}
    return replace(settings(root, name, budget), narrowed=narrowed)


@pytest.fixture(scope="module")
def gated_run(root: Path) -> list[TrialRecord]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blueprint_module, "find_task", small_task)
        patch.setattr(blueprint_module, "ANCHOR_QUALITIES", (50,))
        return run(gated(root, "gated"), QuietReporter()).records


def test_one_trial_of_a_gate_records_its_whole_curve(gated_run: list[TrialRecord]) -> None:
    shares = {record.kind: record.config.offload for record in gated_run if record.config.gated}
    assert set(shares) == {"search", "along"}
    curves = {replace(record.config, offload=1.0) for record in gated_run if record.config.gated}
    assert len(curves) == 3
    for curve in curves:
        mine = [record for record in gated_run if replace(record.config, offload=1.0) == curve]
        few, many = sorted(mine, key=lambda record: record.config.offload)
        assert few.validation.edge_flops == many.validation.edge_flops
        assert few.validation.bytes <= many.validation.bytes


def test_a_run_with_gates_continued_to_its_budget_is_as_one_unbroken(
    root: Path, gated_run: list[TrialRecord]
) -> None:
    run(gated(root, "gated-broken", budget=1), QuietReporter())
    records = run(gated(root, "gated-broken"), QuietReporter()).records
    assert searched(records) == searched(gated_run)


@pytest.mark.parametrize("kind", ["search", "along"])
def test_a_gate_leaves_as_a_bundle_that_is_that_trial(
    kind: str, root: Path, gated_run: list[TrialRecord], tmp_path: Path
) -> None:
    number = next(record.number for record in gated_run if record.kind == kind and record.config.gated)
    export_trial(gated(root, "gated"), number, Choice(), tmp_path / "bundle")
    passed, lines = verify_bundle(tmp_path / "bundle", root)
    assert passed, lines


def test_a_later_finalist_of_a_curve_has_the_weights_that_the_first_one_was_measured_with(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = gated(root, "later")
    made = replace(made, effort=replace(made.effort, finalists=0))
    records = run(made, QuietReporter()).records
    monkeypatch.setattr(finalists, "pareto_set", lambda records, objectives: [])
    one = next(record for record in records if record.config.gated)
    other = next(r for r in records if r.config.curve == one.config.curve and r.number != one.number)
    refined_trial(made, one.number, Choice(), QuietReporter())
    kept = Keeper(made.folder.weights).path(one.config, finalist=True)
    before = kept.read_bytes()
    longer = replace(made, effort=replace(made.effort, refine_steps=3))
    assert refined_trial(longer, other.number, Choice(), QuietReporter()).finalist is not None
    assert kept.read_bytes() == before


def test_where_no_split_that_is_left_can_gate_there_are_no_gates(root: Path) -> None:
    for narrowed in ({"split": (0,)}, {"payload": ("features",), "split": (8,)}):
        plan = blueprint(replace(settings(root, "any"), narrowed=narrowed))
        assert plan.exits is None and "offload" not in {parameter.name for parameter in plan.space.parameters}


def test_an_offload_of_one_is_no_parameter_where_there_are_no_gates(root: Path) -> None:
    without = replace(settings(root, "any"), narrowed={"offload": (1.0,)})
    assert not blueprint(replace(without, first=({"split": 4, "offload": 1.0},))).first[0].gated
    with pytest.raises(UserError, match="this run has no gates"):
        blueprint(replace(without, first=({"split": 4, "offload": 0.5},)))


def test_gates_are_searched_unless_all_samples_are_sent(root: Path) -> None:
    plan = blueprint(settings(root, "any"))
    assert plan.exits is not None
    assert {"offload", "payload"} <= {parameter.name for parameter in plan.space.parameters}
    without = blueprint(replace(settings(root, "any"), narrowed={"offload": (1.0,)}))
    assert without.exits is None
    assert {parameter.name for parameter in without.space.parameters}.isdisjoint({"offload", "payload"})


def reduced(root: Path, name: str, budget: int = 4) -> RunSettings:
    """Settings of a run in which the edge sees a smaller image, before a split or with everything on it."""
    return replace(settings(root, name, budget), narrowed={"split": (4, 8), "resolution": (24, 32)})


@pytest.fixture(scope="module")
def reduced_run(root: Path) -> list[TrialRecord]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blueprint_module, "find_task", small_task)
        patch.setattr(blueprint_module, "ANCHOR_QUALITIES", (50,))
        return run(reduced(root, "reduced"), QuietReporter()).records


def test_a_smaller_image_is_searched_and_the_anchors_see_the_whole_one(
    root: Path, reduced_run: list[TrialRecord], unbroken: list[TrialRecord]
) -> None:
    assert {record.config.resolution for record in reduced_run if record.kind == "search"} <= {24, 32}
    anchors = [(each.config, each.validation) for each in reduced_run if each.kind == "anchor"]
    assert anchors == [(each.config, each.validation) for each in unbroken if each.kind == "anchor"]
    assert read_run(reduced(root, "reduced").folder)[1] == reduced_run


def test_a_run_with_resolutions_continued_to_its_budget_is_as_one_unbroken(
    root: Path, reduced_run: list[TrialRecord]
) -> None:
    run(reduced(root, "reduced-broken", budget=2), QuietReporter())
    records = run(reduced(root, "reduced-broken"), QuietReporter()).records
    assert searched(records) == searched(reduced_run)


@pytest.mark.parametrize("split", [4, 8])
def test_a_smaller_image_leaves_as_a_bundle_that_is_that_trial(
    split: int, root: Path, reduced_run: list[TrialRecord], tmp_path: Path
) -> None:
    number = next(r.number for r in reduced_run if r.config.split == split and r.config.resolution)
    export_trial(reduced(root, "reduced"), number, Choice(), tmp_path / "bundle")
    passed, lines = verify_bundle(tmp_path / "bundle", root)
    assert passed, lines


def test_a_run_whose_user_names_no_resolution_has_none(root: Path) -> None:
    plain = settings(root, "any")
    assert "resolution" not in {parameter.name for parameter in blueprint(plain).space.parameters}
    tried = replace(plain, first=({"split": 4, "resolution": 24},))
    assert blueprint(tried).first[0].resolution == 24
    assert supernet_file(blueprint(plain)) != supernet_file(blueprint(tried))
    assert blueprint(replace(plain, narrowed={"resolution": (48,)})).space == blueprint(plain).space
    with pytest.raises(UserError, match="parameter 'resolution' has no choice 20; valid: 24, 32, 40, 48"):
        blueprint(replace(plain, narrowed={"resolution": (20,)}))


def test_a_model_that_runs_at_one_size_alone_says_so_in_one_line(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vit = VisionTransformer(48, 16, 2, 2, 8, 16, num_classes=10)
    monkeypatch.setattr(ClassificationTask, "cloud_model", lambda task: vit.eval())
    assert blueprint(settings(root, "any")).space["split"].choices[-1] > 1
    refusal = r"'resolution' is no parameter of this model: it does not run at 40 x 40 pixels \(Wrong image height"
    with pytest.raises(UserError, match=refusal):
        blueprint(replace(settings(root, "any"), narrowed={"resolution": (24, 48)}))


def test_a_small_space_is_exhausted_before_the_budget(root: Path) -> None:
    narrowed = {"split": (0,), "image_format": ("jpeg",), "image_quality": (10, 50), "image_resolution": (32,)}
    result = run(replace(settings(root, "small"), narrowed=narrowed), QuietReporter())
    assert result.outcome.reason == "exhausted"
    assert {each.name: each.state for each in list_studies(root)}["small"] == "space exhausted"


def test_constraints_that_nothing_meets_leave_no_front_and_say_what_is_closest(root: Path) -> None:
    made = replace(settings(root, "strict", budget=2), constraints=("quality>=1.5",))
    result = run(made, QuietReporter())
    assert not any(record.feasible for record in result.records)


def test_what_refines_a_gate_refines_its_whole_curve(gated_run: list[TrialRecord]) -> None:
    front = pareto_set(gated_run, ("quality", "edge_flops", "bytes"))
    refined = {record.config.curve for record in gated_run if record.finalist and record.config.gated}
    assert refined
    for record in front:
        if record.config.gated:
            assert (record.finalist is not None) == (record.config.curve in refined)
    for record in gated_run:
        if record.finalist and record.config.gated:
            assert record.finalist.test.offloaded is not None


def test_a_curve_whose_members_are_being_noted_is_no_other_process_s(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = gated(root, "shared-out")
    run(replace(made, effort=replace(EFFORT, finalists=0)), QuietReporter())
    plan = blueprint(made)
    trial = trial_of(plan, QuietReporter())
    noted: list[int] = []
    note = Study.set_finalist
    members = [(record.config.curve, record.number) for record in open_study(plan).records()]
    first = dict(reversed(members))

    def refine(*stops: bool, wanted: tuple[int, ...] = ()) -> None:
        rounds = iter(stops)
        keeper, study = Keeper(made.folder.weights), open_study(plan)
        Finals(plan, trial, keeper, study, QuietReporter(), lambda: next(rounds), wanted).run()

    def note_slowly(study: Study, number: int, finalist: Finalist) -> None:
        # What other processes would do meanwhile: one is asked for the curve's first member, after the cloud model.
        refine(False, True)
        refine(False, False, True, wanted=(first[study.record(number).config.curve],))
        note(study, number, finalist)
        noted.append(number)

    monkeypatch.setattr(Study, "set_finalist", note_slowly)
    # The run itself knows of the later members alone, as where the first one is not on the front.
    monkeypatch.setattr(
        finalists,
        "chosen",
        lambda records, *_: [r for r in records if r.config.gated and r.number != first[r.config.curve]],
    )
    refine(*[False] * 100)
    assert len(noted) == len(set(noted)) > 3
