"""What other processes train of the rivals meanwhile is what one process would train by itself."""

from __future__ import annotations

import shutil
import sys
import time
from contextlib import nullcontext
from pathlib import Path

import pytest

from automl import blueprint as blueprint_module
from automl.reporters.quiet import QuietReporter
from automl.rivals import challenge as challenge_module
from automl.rivals import measuring
from automl.rivals.challenge import challenge
from automl.rivals.edge_only import EdgeOnly
from automl.rivals.fixed_bottleneck import FixedBottleneck
from automl.rivals.record import rivals_file
from automl.run import run
from automl.settings import Effort, Own, RunSettings

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


def test_rivals_trained_beside_are_those_trained_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blueprint_module, "ANCHOR_QUALITIES", (50,))
    monkeypatch.setattr(measuring, "MOST_TESTED", 1)
    monkeypatch.setattr(measuring, "rivals_of", lambda bench: [EdgeOnly(bench), FixedBottleneck(bench)])
    effort = Effort(cloud_steps=2, teach_steps=1, trial_steps=1, refine_steps=1, finalists=0)
    own = Own(folders(tmp_path / "pets", each=4), image_size=32)
    settings = RunSettings("", "pets", tmp_path / "runs", budget=1, workers=2, effort=effort, own=own)
    run(settings, QuietReporter())
    kept = settings.folder.path / "rivals"
    beside = challenge(settings, PatientReporter(kept)).points
    names = {path.name for path in kept.iterdir()}
    shutil.rmtree(kept)
    rivals_file(settings.folder).unlink()
    monkeypatch.setattr(challenge_module, "training_ahead", lambda plan, left: nullcontext())
    assert challenge(settings, QuietReporter()).points == beside
    assert {path.name for path in kept.iterdir()} == names
