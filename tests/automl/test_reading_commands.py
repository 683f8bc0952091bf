"""pareto, show, plot and studies on a run that a real study holds."""

from __future__ import annotations

import csv
import io
import json

import pytest
import typer
from typer.testing import CliRunner

from automl.cli.pareto import pareto
from automl.cli.plot import plot
from automl.cli.show import show
from automl.cli.studies import studies
from automl.run_finder import find_run
from automl.run_folder import RunFolder
from automl.run_reader import note_run, read_constraints, read_run
from automl.settings import RunSettings
from automl.study import Study
from deploy.errors import UserError
from evaluators.measurement import Measurement
from results.pareto import pareto_set
from results.record import RunInfo
from search_spaces.config import Config
from search_spaces.layout import Layout
from search_spaces.objective import Constraint, Objective
from search_spaces.space import default_space

LAYOUT = Layout(stages=(-1, 0, 0, 1, 1), skippable=(False, False, True, False, True), modules=4)
INFO = RunInfo("shelf", "detection", "mAP", ("quality", "edge_flops", "bytes"), 5, 10e6, 12_288)
BOUND = Constraint.parse("bytes<=9000")
CLOUD = Config(5, (4, 4), 4)

app = typer.Typer()
for command in (pareto, show, plot, studies):
    app.command()(command)


def measure(config: Config, seed: int) -> Measurement:
    """A smooth trade-off: more bytes and more modules answer better."""
    share = sum(config.edge_modules) / 8
    flops = 10e6 * share * config.split / 5
    size = {0: 10.0 * config.image_quality, 5: 0.0}.get(config.split, 4.0 * config.width * config.bits)
    quality = 0.8 * (1 - 0.5 * (1 - share)) * (1 - 1 / (2 + size / 20 if 0 < config.split < 5 else 50))
    return Measurement(quality, flops, size, 10e6 - flops, 1e5, 4e5)


def search(settings):
    objectives = [Objective.named(name) for name in INFO.objectives]
    identity = {"task": settings.task}
    space = default_space(LAYOUT, 64)
    study = Study.open(settings.where, settings.name, space, objectives, [BOUND], "random", identity=identity)
    note_run(settings.where, settings.name, INFO, LAYOUT)
    settings.save()
    study.run(measure, 15, anchors=[CLOUD])
    return settings.root


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return search(RunSettings("detection", "shelf", tmp_path_factory.mktemp("runs")))


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory):
    """The root of a run whose study lies in another storage than the run's folder."""
    place = tmp_path_factory.mktemp("elsewhere")
    return search(RunSettings("detection", "shelf", place / "runs", storage=f"sqlite:///{place}/studies.db"))


def run(*words):
    result = CliRunner().invoke(app, [str(word) for word in words])
    if isinstance(result.exception, Exception):
        raise result.exception
    return result.stdout


def test_reading_gives_back_the_facts_and_every_trial(root):
    info, records = read_run(find_run(root))
    assert info == INFO
    assert [record.kind for record in records] == ["anchor"] + ["search"] * 15
    assert records[0].config == CLOUD
    assert read_constraints(find_run(root, "shelf")) == [BOUND]


def test_reading_twice_changes_nothing(root):
    first = read_run(find_run(root))
    assert read_run(find_run(root)) == first


def test_a_study_in_another_storage_is_read_where_the_runs_settings_say(root, elsewhere, tmp_path):
    assert not find_run(elsewhere, "shelf").database.exists()
    assert run("pareto", "--root", elsewhere) == run("pareto", "--root", root)
    assert run("pareto", "--knee", "--name", "shelf", "--root", elsewhere) == run(
        "pareto", "--knee", "--root", root
    )
    assert json.loads(run("show", 3, "--json", "--root", elsewhere))["trial"] == 3
    assert run("plot", "front", "--root", elsewhere, "--out", tmp_path).split() == [str(tmp_path / "front.png")]
    rows = [run("studies", "--root", place).splitlines()[1].split()[:-2] for place in (elsewhere, root)]
    assert rows[0] == rows[1]
    front = json.loads(run("pareto", "--root", root, "--json"))["members"]
    assert rows[0] == ["shelf", "detection", "random", "15/15", str(len(front)), "finished"]


def test_a_storage_that_is_gone_is_named_and_not_made_anew(tmp_path):
    settings = RunSettings("detection", "shelf", tmp_path, storage=f"sqlite:///{tmp_path}/gone.db")
    settings.save()
    with pytest.raises(UserError, match=r"gone\.db does not exist"):
        run("pareto", "--root", tmp_path, "--name", "shelf")
    assert "unreadable" in run("studies", "--root", tmp_path)
    assert not (tmp_path / "gone.db").exists()


def test_pareto_prints_the_front_and_the_plain_answers(root):
    text = run("pareto", "--root", root)
    assert "Pareto set of shelf" in text and "two plain answers" in text and "Hypervolume" in text


def test_pareto_prints_json_and_csv_of_the_same_members(root):
    members = json.loads(run("pareto", "--root", root, "--json"))["members"]
    rows = list(csv.DictReader(io.StringIO(run("pareto", "--root", root, "--csv"))))
    assert [str(member["trial"]) for member in members] == [row["trial"] for row in rows]
    with pytest.raises(UserError, match="--csv and --json"):
        run("pareto", "--root", root, "--csv", "--json")


def test_pareto_picks_a_member(root):
    info, records = read_run(find_run(root))
    chosen = json.loads(run("pareto", "--root", root, "--max-edge-flops", 5e6, "--max-bytes", 900, "--json"))
    within = [
        r
        for r in pareto_set(records, info.objectives)
        if r.validation.edge_flops <= 5e6 and r.validation.bytes <= 900
    ]
    assert chosen["validation"]["quality"] == max(r.validation.quality for r in within)
    assert "knee" in run("pareto", "--root", root, "--knee")
    with pytest.raises(UserError, match="the closest is trial"):
        run("pareto", "--root", root, "--min-quality", 0.99)


def test_show_tells_one_trial(root):
    assert "everything on the edge" in run("show", 0, "--root", root)
    assert json.loads(run("show", 3, "--root", root, "--json"))["trial"] == 3
    with pytest.raises(UserError, match="no finished trial 99; finished: 0 to 15"):
        run("show", 99, "--root", root)


def test_plot_writes_the_named_plots(root, tmp_path):
    printed = run("plot", "front", "hypervolume", "--root", root, "--out", tmp_path).split()
    assert printed == [str(tmp_path / "front.png"), str(tmp_path / "hypervolume.png")]
    with pytest.raises(UserError, match="unknown plot 'frnt': did you mean 'front'"):
        run("plot", "frnt", "--root", root)


def test_a_run_that_is_not_there_is_named(root, tmp_path):
    with pytest.raises(UserError, match="did you mean 'shelf'"):
        find_run(root, "self")
    with pytest.raises(UserError, match="no run 'x' below"):
        find_run(tmp_path, "x")
    with pytest.raises(UserError, match="start one with"):
        find_run(tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_study_whose_search_has_not_begun_says_so(tmp_path):
    objectives = [Objective.named("quality")]
    Study.open(tmp_path / "young", "young", default_space(LAYOUT, 64), objectives)
    with pytest.raises(UserError, match="its search has not begun"):
        read_run(RunFolder(tmp_path, "young"))
    with pytest.raises(UserError, match=r"--storage needs --name"):
        run("show", 1, "--root", tmp_path, "--storage", "sqlite:///x.db")
