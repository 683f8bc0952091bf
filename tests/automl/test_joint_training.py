"""Joint training: workers that wait train beside this process, and nobody can tell it from the weights."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from automl.blueprint import blueprint
from automl.board import Board, board_file
from automl.crew import Share
from automl.descent import descend
from automl.joint_training import Training, train, train_beside
from automl.peers import Peers, room
from automl.reporters.quiet import QuietReporter
from automl.settings import Effort, RunSettings
from automl.shards import FEWEST, Shards
from automl.taught import help_train, taught_supernet
from automl.workers import Workers

SAMPLES, STEPS = 3 * FEWEST, 6
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes share memory files on Linux alone")


def network() -> nn.Module:
    torch.manual_seed(0)
    layers = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 4, 3), nn.BatchNorm2d(4))
    layers.add_module("unused", nn.Linear(2, 2))
    layers.add_module("first", nn.Linear(2, 2))
    return layers.to(memory_format=torch.channels_last).train()


class Fitting:
    """Fits a network to noise, as a Trainee."""

    def __init__(self, model: nn.Module, threads: int, whole_norms: bool, peers: Peers | None) -> None:
        self.model, self.peers = model, peers
        self.shards = Shards(model, SAMPLES, threads, whole_norms, peers)
        self.optimizer = torch.optim.AdamW([{"params": list(model.parameters()), "peak": 0.01}], fused=True)

    def step(self, index: int) -> float:
        generator = torch.Generator().manual_seed(index)
        images = torch.randn(SAMPLES, 3, 7, 7, generator=generator).to(memory_format=torch.channels_last)

        def losses(model: nn.Module, rows: slice) -> list[Tensor]:
            alone = [model.first(images[0, 0, 0, :2]).sum()] if rows.start == 0 else []
            return [model[:5](images[rows]).square().mean(), model[:3](images[rows]).mean(), *alone]

        loss = self.shards.backward(losses)
        descend(self.optimizer, self.shards.parameters, index, STEPS)
        return loss

    def state_dict(self) -> dict[str, Any]:
        return {"model": self.model.state_dict(), "optimizer": self.optimizer.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])


def course(parts: int, folder: Path) -> Training:
    return Training("fit", STEPS, SAMPLES, parts, folder / "checkpoint")


def assist(folder: Path, parts: int, whole_norms: bool, dies_at: int, share: Share) -> None:
    rank = share.assignment.rank

    def make(peers: Peers | None) -> Fitting:
        return Mortal(network(), parts, whole_norms, peers, dies_at if rank == parts - 1 else -1)

    train_beside(share, make)
    (folder / f"helped-{rank}").touch()


class Mortal(Fitting):
    """Dies at the start of one step."""

    def __init__(
        self, model: nn.Module, threads: int, whole_norms: bool, peers: Peers | None, dies_at: int
    ) -> None:
        super().__init__(model, threads, whole_norms, peers)
        self.dies_at = dies_at

    def step(self, index: int) -> float:
        if index == self.dies_at:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().step(index)


def leave(*unused: object) -> int:
    return 0


class Heard(QuietReporter):
    def __init__(self) -> None:
        self.said: list[str] = []

    def say(self, text: str) -> None:
        self.said.append(text)


def trained(
    folder: Path, parts: int, whole_norms: bool, workers: int, dies_at: int = -1, forked: bool = False
) -> tuple[dict[str, Tensor], Heard]:
    model, heard = network(), Heard()
    with Workers(leave, (folder, parts, whole_norms, dies_at), workers, forked, assist) as beside:
        train(
            course(parts, folder),
            model,
            lambda peers: Fitting(model, parts, whole_norms, peers),
            heard,
            lambda: None,
            beside.crew,
        )
        beside.release()
    return model.state_dict(), heard


def same(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize(("parts", "whole_norms"), ((2, True), (3, True), (2, False)))
def test_workers_that_train_beside_give_the_same_bits_as_threads(
    tmp_path: Path, parts: int, whole_norms: bool
) -> None:
    alone, _ = trained(tmp_path, parts, whole_norms, workers=0)
    assert not list(tmp_path.glob("helped-*"))
    together, heard = trained(tmp_path, parts, whole_norms, workers=parts - 1)
    assert sorted(path.name for path in tmp_path.glob("helped-*")) == [f"helped-{i}" for i in range(1, parts)]
    assert same(alone, together) and not heard.said


def test_more_workers_than_shards_are_left_alone(tmp_path: Path) -> None:
    trained(tmp_path, 2, True, workers=2)
    assert [path.name for path in tmp_path.glob("helped-*")] == ["helped-1"]


@pytest.mark.parametrize(("parts", "dies_at"), ((2, 3), (3, 0)))
def test_where_a_worker_dies_this_process_goes_on_alone_with_the_same_bits(
    tmp_path: Path, parts: int, dies_at: int
) -> None:
    alone, _ = trained(tmp_path, parts, True, workers=0)
    together, heard = trained(tmp_path, parts, True, parts - 1, dies_at)
    assert same(alone, together)
    assert heard.said == ["No worker can help to train the fit any more: going on without."]


def test_who_lost_a_worker_trains_alone_from_then_on(tmp_path: Path) -> None:
    alone, _ = trained(tmp_path, 2, True, workers=0)
    with Workers(leave, (tmp_path, 3, True, 0), 2, False, assist) as beside:
        for parts in (3, 2):
            model, heard = network(), Heard()
            make = partial(Fitting, model, parts, True)
            train(course(parts, tmp_path), model, make, heard, lambda: None, beside.crew)
        beside.release()
    assert same(alone, model.state_dict()) and not heard.said


def test_cloud_model_and_supernet_are_the_same_with_a_worker_and_without(tmp_path: Path) -> None:
    effort = Effort(cloud_steps=3, teach_steps=2)
    together, alone = (
        blueprint(RunSettings("classification", "run", tmp_path / name, workers=2, effort=effort))
        for name in ("together", "alone")
    )
    heard = Heard()
    with Workers(leave, (together,), 1, False, help_train) as beside:
        mine = taught_supernet(together, heard, beside.crew)
    other = taught_supernet(alone, heard)
    assert same(mine.state_dict(), other.state_dict()) and not heard.said
    assert {path.name for path in (tmp_path / "together" / "cache").iterdir()} == {
        path.name for path in (tmp_path / "alone" / "cache").iterdir()
    }


def test_a_board_has_room_for_every_gradient_and_every_norm() -> None:
    model = network()
    assert room(list(model.parameters())) >= sum(p.numel() for p in model.parameters()) + len(
        list(model.parameters())
    )
    assert room(list(model.parameters())) >= 2 * 8


def test_what_another_process_left_at_another_place_is_not_read() -> None:
    board = Board(board_file(2, 10, b""), 2, 10)
    board.write(0, 1, 5.0, [torch.ones(3)], [torch.ones(3)])
    found = board.read(0, 1, [torch.empty(3)])
    assert found is not None and found[0] == 5.0 and torch.equal(found[1][0], torch.ones(3))
    assert board.read(0, 1, [torch.empty(2)]) is None


LEADING = """
from pathlib import Path
import time
from test_joint_training import *

class Slow(Fitting):
    def step(self, index):
        if index == 2:
            print(beside._processes[0].pid, flush=True)
            time.sleep(600)
        return super().step(index)

if __name__ == "__main__":
    model, folder = network(), Path(FOLDER)
    with Workers(leave, (folder, 2, True, -1), 1, False, assist) as beside:
        make = lambda peers: Slow(model, 2, True, peers)
        train(course(2, folder), model, make, Heard(), lambda: None, beside.crew)
"""


def test_a_worker_ends_when_its_parent_is_killed_while_they_train(tmp_path: Path) -> None:
    script = tmp_path / "leading.py"
    script.write_text(LEADING.replace("FOLDER", repr(str(tmp_path))))
    surroundings = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    command = [sys.executable, str(script)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=surroundings) as parent:
        assert parent.stdout is not None
        worker = Path("/proc") / parent.stdout.readline().strip()
        assert worker.name.isdigit()
        parent.kill()
    while worker.exists():
        time.sleep(0.05)
