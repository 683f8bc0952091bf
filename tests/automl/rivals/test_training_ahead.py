"""What other processes train of the rivals meanwhile is what one process would train by itself."""

from __future__ import annotations

import multiprocessing
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest

from automl import blueprint as blueprint_module
from automl.blueprint import Blueprint, blueprint
from automl.reporters.quiet import QuietReporter
from automl.rivals import challenge as challenge_module
from automl.rivals import measuring
from automl.rivals.bench import Bench, at_once
from automl.rivals.challenge import challenge
from automl.rivals.edge_only import EdgeOnly
from automl.rivals.fixed_bottleneck import FixedBottleneck
from automl.rivals.record import rivals_file, rivals_weights
from automl.rivals.training_ahead import training_ahead
from automl.run import run
from automl.run_reader import read_identity, read_run
from automl.settings import Effort, Own, RunSettings
from automl.work import trial_of
from search_spaces.config import Config

sys.path.append(str(Path(__file__).parents[1] / "data"))
from made_data import folders

PATIENCE = 120.0


class PatientReporter(QuietReporter):
    """Waits at every stage until another process has trained something."""

    def __init__(self, kept: Path) -> None:
        self._kept = kept

    def stage(self, name: str, total: int) -> None:
        until = time.monotonic() + PATIENCE
        while not list(self._kept.glob("*.safetensors")):
            assert time.monotonic() < until, "nobody trains beside this process"
            time.sleep(0.1)


class SayingReporter(QuietReporter):
    """Remembers what is said."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def say(self, text: str) -> None:
        self.said.append(text)


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunSettings]:
    folder = tmp_path_factory.mktemp("ahead")
    effort = Effort(cloud_steps=2, teach_steps=1, trial_steps=1, refine_steps=1, finalists=0)
    own = Own(folders(folder / "pets", each=4), image_size=32)
    made = RunSettings("", "pets", folder / "runs", budget=1, workers=2, effort=effort, own=own)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blueprint_module, "ANCHOR_QUALITIES", (50,))
        run(made, QuietReporter())
        yield made


@pytest.fixture
def ready(settings: RunSettings) -> tuple[Blueprint, list[Config]]:
    info, records = read_run(settings.folder)
    plan = blueprint(settings)
    return plan, EdgeOnly(Bench(plan, trial_of(plan, QuietReporter()), records, info)).ladder()[1:]


def test_a_process_that_is_killed_leaves_its_configuration_to_this_one(
    ready: tuple[Blueprint, list[Config]],
) -> None:
    plan, left = ready
    reporter = SayingReporter()
    with training_ahead(plan, left, reporter) as take:
        (worker,) = multiprocessing.active_children()
        worker.kill()
        began = time.monotonic()
        for config in left:
            take(config)
        assert time.monotonic() - began < PATIENCE
    assert reporter.said == ["Workers ended with exit codes -9; this one did the rest."]


def test_an_interrupt_at_the_start_ends_all_soon(ready: tuple[Blueprint, list[Config]]) -> None:
    plan, left = ready
    with pytest.raises(KeyboardInterrupt), training_ahead(plan, left, QuietReporter()):
        raise KeyboardInterrupt
    assert not multiprocessing.active_children()


def test_rivals_trained_beside_are_those_trained_alone(
    settings: RunSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measuring, "MOST_TESTED", 1)
    monkeypatch.setattr(measuring, "rivals_of", lambda bench: [EdgeOnly(bench), FixedBottleneck(bench)])
    kept = rivals_weights(settings.folder, read_identity(settings.folder))
    beside = challenge(settings, PatientReporter(kept)).points
    names = {path.name for path in kept.iterdir()}
    shutil.rmtree(kept)
    rivals_file(settings.folder).unlink()
    monkeypatch.setattr(challenge_module, "training_ahead", lambda *given: nullcontext(at_once))
    assert challenge(settings, QuietReporter()).points == beside
    assert {path.name for path in kept.iterdir()} == names
