"""A run with a device profile: latency and energy in every record, as objectives and constraints."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from automl import blueprint as blueprint_module
from automl.reporters.quiet import QuietReporter
from automl.run import RunResult, run
from automl.run_reader import read_run
from automl.settings import Effort, RunSettings
from automl.tasks.classification import ClassificationTask, Counts
from deploy.errors import UserError
from evaluators.device_profile import read_profile
from evaluators.measurement import Measurement
from results.files import csv_text, json_text
from search_spaces.objective import PROFILED

PHONE = Path(__file__).parents[2] / "docs" / "profiles" / "phone-lte.toml"
BOUND = 72
"""Milliseconds that what sends nothing or little takes, and a large image does not."""
EFFORT = Effort(cloud_steps=4, teach_steps=2, trial_steps=1, refine_steps=1, finalists=1)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module", autouse=True)
def _small() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blueprint_module, "find_task", lambda name: ClassificationTask(counts=Counts(64, 24, 24)))
        patch.setattr(blueprint_module, "ANCHOR_QUALITIES", (50,))
        yield


def settings(root: Path, **changes: object) -> RunSettings:
    made = RunSettings("classification", "phone", root, budget=3, threads=1, effort=EFFORT)
    goals = {"objectives": ("quality", "latency", "energy"), "constraints": (f"latency<={BOUND}",)}
    return replace(made, **{"profile": read_profile(PHONE), **goals, **changes})


@pytest.fixture(scope="module")
def done(root: Path, _small: None) -> RunResult:
    return run(settings(root), QuietReporter())


def test_every_record_says_latency_and_energy(done: RunResult) -> None:
    link = read_profile(PHONE).link
    for record in done.records:
        found = record.validation
        assert 0 < found["latency_p50"] <= found["latency_p95"]
        assert found["energy"] > 0
        sent = 1.0 if found.offloaded is None else found.offloaded
        way = 1e3 * (sent * link.round_trip + 8 * found.bytes / link.bandwidth)
        assert found["latency"] > (way if found.bytes else 0)
    edge_only = [r.validation["latency"] for r in done.records if r.validation.bytes == 0]
    assert max(edge_only) < 1e3 * link.round_trip


def test_a_constraint_on_latency_decides_what_is_feasible(done: RunResult) -> None:
    assert {record.feasible for record in done.records} == {True, False}
    assert all(record.feasible == (record.validation["latency"] <= BOUND) for record in done.records)


def test_finalists_have_them_too(done: RunResult) -> None:
    finals = [record.finalist for record in done.records if record.finalist]
    assert finals
    assert all(each.test["latency"] > 0 and each.validation["energy"] > 0 for each in finals)


def test_they_are_read_back_and_written_to_the_files(root: Path, done: RunResult) -> None:
    info, records = read_run(settings(root).folder)
    assert records == done.records
    members = json.loads(json_text(records, info))["members"]
    assert all(set(PROFILED) <= set(member["validation"]) for member in members)
    assert "validation.latency_p95" in csv_text(records, info).splitlines()[0]


def test_the_run_is_continued_with_its_own_profile_alone(root: Path, done: RunResult) -> None:
    assert RunSettings.load(settings(root).folder) == replace(settings(root), device=done.plan.settings.device)
    again = run(settings(root, budget=4), QuietReporter()).records
    assert len(again) == len(done.records) + 1
    assert [record.validation for record in again[:-1]] == [record.validation for record in done.records]
    profile = read_profile(PHONE)
    faster = replace(profile, link=replace(profile.link, bandwidth=1e9))
    with pytest.raises(UserError, match=r"profile\.link was .* and is now"):
        run(settings(root, profile=faster), QuietReporter())


@pytest.mark.parametrize("changes", [{"constraints": ()}, {"objectives": ("quality", "bytes")}])
def test_without_a_profile_they_cannot_be_asked_for(root: Path, changes: dict[str, object]) -> None:
    with pytest.raises(UserError, match="'latency' needs a device profile: give --profile FILE"):
        run(settings(root, name="none", profile=None, **changes), QuietReporter())
    assert not (root / "none").exists()


def test_without_a_profile_they_are_absent() -> None:
    plain = {
        "quality": 0.5,
        "edge_flops": 1.0,
        "bytes": 2.0,
        "cloud_flops": 3.0,
        "edge_params": 4.0,
        "edge_memory": 5.0,
    }
    measured = Measurement.from_dict(plain)
    assert measured.to_dict() == plain
    with pytest.raises(KeyError, match="latency was not measured: it needs a device profile"):
        measured["latency"]
