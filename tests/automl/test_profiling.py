"""Profiling: fits give back the costs that made the seconds, and the command measures this machine."""

from __future__ import annotations

import sys
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from automl.cli import app
from automl.flat import flattened
from automl.profiling import codecs, programs, samples, stopwatch
from automl.profiling.fitting import BLOCKS, fitted, fitted_rate, layout_rate
from automl.profiling.programs import Chain, chains
from automl.profiling.samples import whole_samples
from deploy.session import Session
from evaluators.device_profile import read_profile
from evaluators.program import KINDS

COSTS = st.floats(1e-7, 1e-4)


def of_kind(kind: str) -> list[Chain]:
    return [chain for chain in chains() if chain.operator.kind == kind]


@given(st.lists(st.just(0.0) | COSTS, min_size=3, max_size=3).filter(any))
def test_costs_are_found_again(costs: list[float]) -> None:
    columns = np.abs(np.random.default_rng(0).normal(size=(3, 20))) + 0.1
    found, left = fitted([*columns], np.array(costs) @ columns)
    assert found == pytest.approx(costs, rel=1e-6, abs=1e-9)
    assert left == pytest.approx(0, abs=1e-6)


@settings(max_examples=20)
@given(COSTS, COSTS, st.floats(1e8, 1e12), st.sampled_from(BLOCKS[:-1]), st.floats(1e-10, 1e-8))
def test_rates_and_blocks_are_found_again(
    run: float, call: float, throughput: float, block: int, element: float
) -> None:
    made = of_kind("pointwise")
    layers, ends = np.array([each.layers for each in made]), np.array([2 * np.prod(each.shape) for each in made])
    work = np.array([each.operator.in_blocks(block) for each in made])
    rate, around = fitted_rate(made, run + ends * element + layers * (call + work / throughput))
    assert rate.block == block
    assert rate.call == pytest.approx(call, rel=1e-3)
    assert rate.throughput == pytest.approx(throughput, rel=1e-3)
    layout = layout_rate(around, run)
    assert layout.throughput == pytest.approx(2 / element, rel=1e-3)
    assert layout.call <= run * 1e-3


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "layout"])
def test_every_kind_is_timed_on_programs_that_run(kind: str, tmp_path: Path) -> None:
    made = of_kind(kind)
    assert len({each.operator.work for each in made}) >= 5
    for chain in (made[0], made[-1]):
        chain.write(tmp_path / "program.onnx")
        (answer,) = Session(tmp_path / "program.onnx", 1).run(np.full(chain.shape, 0.5, np.float32))
        assert np.isfinite(answer).all()


def test_whole_samples_run_and_cost_their_parts_at_either_end(tmp_path: Path) -> None:
    device = read_profile(Path(__file__).parents[2] / "docs" / "profiles" / "board-wifi.toml").edge
    found = [*whole_samples(tmp_path, 1)]
    assert {sample.edge for sample in found} == {True, False} and len(found) >= 6
    for sample in found:
        sample.call()
        kinds = [operator.kind for operator in sample.program]
        assert kinds.count("layout") == 2 and kinds.count("conv") == samples.REPEATS
        assert sample.seconds(device) > device.seconds(sample.program) > device.run


def test_only_what_a_longer_chain_adds_is_the_operators() -> None:
    one = of_kind("conv")[0]
    assert {each.layers for each in of_kind("conv") if each.shape == one.shape} == set(programs.LAYERS)
    assert replace(one, layers=4).operator == one.operator


def test_the_command_writes_a_profile_of_this_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for module, name, less in (
        (programs, "CHANNELS", (8, 32)),
        (programs, "SIDES", (5, 20)),
        (programs, "ROWS", (16, 64)),
        (codecs, "SIDES", (32, 48)),
        (codecs, "QUALITIES", (20,)),
        (codecs, "SHAPES", [(2, 5, 5), (4, 5, 5), (2, 8, 8)]),
        (stopwatch, "SLICE", 0.0),
        (stopwatch, "ROUNDS", 1),
        (samples, "WAIT", 0.0),
    ):
        monkeypatch.setattr(module, name, less)
    out = tmp_path / "machine.toml"
    options = ["--out", str(out), "--bandwidth", "2e6", "--round-trip", "0.02", "--wait", "0.5"]
    monkeypatch.setattr(sys, "argv", ["eccsearch", "profile", *options])
    with pytest.raises(SystemExit) as ended:
        app.main()
    assert ended.value.code == 0
    assert str(out) in capsys.readouterr().out
    profile = read_profile(out)
    assert (profile.link.bandwidth, profile.link.round_trip, profile.power.wait) == (2e6, 0.02, 0.5)
    assert profile.edge == profile.cloud
    assert profile.edge.run > 0 and profile.edge.answer.classes > 0
    throughputs = [value for name, value in flattened(asdict(profile)).items() if name.endswith("throughput")]
    assert len(throughputs) == 2 * len(KINDS)
