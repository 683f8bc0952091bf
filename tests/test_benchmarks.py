"""Every benchmark says what it measures, and the parts of them that need no run are right."""

import runpy
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from evaluators.measurement import Measurement
from results.record import RunInfo

FOLDER = Path(__file__).parents[1] / "benchmarks"
SCRIPTS = sorted(path.name for path in FOLDER.glob("*.py") if "__main__" in path.read_text())
INFO = RunInfo("run", "task", "mAP", ("quality", "edge_flops", "bytes"), 4, 100.0, 1000.0)


def script(monkeypatch: pytest.MonkeyPatch, name: str) -> SimpleNamespace:
    monkeypatch.syspath_prepend(str(FOLDER))
    return SimpleNamespace(**runpy.run_path(str(FOLDER / name)))


@pytest.mark.parametrize("name", SCRIPTS)
def test_every_benchmark_explains_itself(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.syspath_prepend(str(FOLDER))
    monkeypatch.setattr(sys, "argv", [name, "--help"])
    with pytest.raises(SystemExit) as left:
        runpy.run_path(str(FOLDER / name), run_name="__main__")
    assert left.value.code == 0
    assert f"python benchmarks/{name}" in capsys.readouterr().out


def test_stages_are_timed_from_json_lines_and_from_plain_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = script(monkeypatch, "default_run.py").stage_seconds
    events = [("say", 1, ""), ("stage", 2, "cloud model"), ("stage", 9.5, "search"), ("end", 20, "")]
    lines = [f'{{"event": "{event}", "elapsed": {at}, "stage": "{stage}"}}' for event, at, stage in events]
    assert seconds("\n".join([*lines, '{"event": "result"}'])) == {"cloud model": 7.5, "search": 10.5}
    plain = "[  0:02] cloud model: begins, 60 steps\n[  1:00] cloud model: done in 58 s\n[  1:01] search: begins\n"
    assert seconds(f"{plain}[  2:01] 1/5 trial 0\nno line of the log\n") == {"cloud model": 59.0, "search": 60.0}


def test_entropy_is_given_channel_and_context(monkeypatch: pytest.MonkeyPatch) -> None:
    entropy = script(monkeypatch, "packets.py").entropy_bits
    symbols = np.array([[[0, 0, 1, 1], [3, 3, 3, 3]], [[1, 1, 0, 0], [3, 3, 3, 3]]], dtype=np.uint8)
    assert entropy(symbols, np.zeros_like(symbols)) == 4.0
    assert entropy(symbols, symbols) == 0.0


def point(quality: float, sent: float) -> Measurement:
    return Measurement(quality, 50.0, sent, 0.0, 0.0, 0.0)


def points_of(weights: Any) -> dict[Any, Measurement]:
    low, high = weights(0.0, 0.0, 0.0, 0.0), weights(1.0, 0.0, 2.0, 0.0)
    return {(0, low): point(0.5, 10), (0, high): point(0.7, 10), (1, low): point(0.4, 2), (1, high): point(0.4, 8)}


def test_main_effects_are_relative_to_each_structure(monkeypatch: pytest.MonkeyPatch) -> None:
    module = script(monkeypatch, "distillation_weights.py")
    effects = {(row[0], row[1]): row[2:] for row in module.main_effects(points_of(module.Weights))}
    assert effects["response", 0.0] == (2, "-0.0500", pytest.approx(0.25**0.25))
    assert effects["response", 1.0] == (2, "+0.0500", pytest.approx(4**0.25))
    assert effects["rate", 0.0] == (4, "+0.0000", pytest.approx(1.0))


def test_the_oracle_picks_for_each_structure(monkeypatch: pytest.MonkeyPatch) -> None:
    module = script(monkeypatch, "distillation_weights.py")
    points = points_of(module.Weights)
    assert module.oracle(points, INFO) == module.volume([point(0.7, 10), point(0.4, 2)], INFO)
    assert module.oracle(points, INFO) > max(
        module.volume([points[0, weights], points[1, weights]], INFO) for _, weights in points
    )


def test_settings_without_a_response_differ_in_no_temperature(monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(script(monkeypatch, "distillation_weights.py").grid([0.0, 1.0], [0.0], [2.0, 4.0], [0.5])) == 3
