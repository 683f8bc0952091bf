"""Joint training: the same training in this process alone or beside waiting workers, bit for bit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from automl.crew import Assignment, Crew, Share, State
from automl.peers import PeerLostError, Peers, room
from automl.reporter import Reporter
from automl.shards import shard_count
from automl.training import Trainee, run_steps

Making = Callable[[Peers | None], Trainee]
"""Makes a trainee in its first state, of all shards or of one."""


@dataclass(frozen=True)
class Training:
    """What one training is, whoever does it.

    Attributes:
        stage: Its name, by which a worker knows what to make.
        steps: How many there are.
        samples: Of a batch.
        threads: In all.
        checkpoint: Where the state is kept while the steps run.
    """

    stage: str
    steps: int
    samples: int
    threads: int
    checkpoint: Path


def train(
    training: Training,
    model: nn.Module,
    make: Making,
    reporter: Reporter,
    save: Callable[[], None],
    crew: Crew | None = None,
) -> None:
    """Run the steps that are not done yet, beside the crew's workers where there are enough of them.

    Args:
        training: What it is.
        model: What is trained.
        make: Makes its trainee.
        reporter: Hears of the stage and its progress.
        save: Keeps the result.
        crew: The workers.
    """
    count = shard_count(model, training.samples, training.threads)
    torch.set_num_threads(training.threads // count)
    trainee = make(None) if crew is None else _Leading(training, model, make, reporter, crew, count)
    run_steps(trainee, training.steps, training.checkpoint, reporter, training.stage, save=save)


def train_beside(share: Share, make: Making) -> None:
    """Do a worker's part of a training.

    Raises:
        PeerLostError: another process has ended, or given up.
    """
    torch.set_num_threads(share.assignment.threads)
    trainee = make(share.peers)
    trainee.load_state_dict(share.state)
    for index in range(share.assignment.first, share.assignment.steps):
        trainee.step(index)


class _Leading:
    """A trainee that workers join at its first step, whichever it is, and that goes on alone once it loses them."""

    def __init__(
        self, training: Training, model: nn.Module, make: Making, reporter: Reporter, crew: Crew, count: int
    ) -> None:
        self._training, self._model, self._make, self._count = training, model, make, count
        self._reporter, self._crew = reporter, crew
        self._trainee = make(None)
        self._peers: Peers | None = None
        self._began = False

    def step(self, index: int) -> Tensor:
        if not self._began:
            self._began = True
            self._join(index)
        if self._peers is None:
            return self._trainee.step(index)
        # A step that fails has learnt nothing, but has seen its batch.
        seen = [buffer.clone() for buffer in self._model.buffers()]
        try:
            return self._trainee.step(index)
        except PeerLostError:
            for buffer, before in zip(self._model.buffers(), seen, strict=True):
                buffer.copy_(before)
            self._part()
            return self._trainee.step(index)

    def state_dict(self) -> State:
        return self._trainee.state_dict()

    def load_state_dict(self, state: State) -> None:
        self._trainee.load_state_dict(state)

    def _join(self, index: int) -> None:
        learnt = [parameter for parameter in self._model.parameters() if parameter.requires_grad]
        if not self._crew.can_train(self._count, learnt):
            return
        stage, steps, threads = self._training.stage, self._training.steps, torch.get_num_threads()
        assignment = Assignment(stage, index, steps, threads, 0, self._count, room(learnt))
        try:
            self._peers = self._crew.begin(assignment, self.state_dict())
        except PeerLostError:
            self._part()
        else:
            self._become(self._make(self._peers))

    def _part(self) -> None:
        if self._peers is not None:
            self._peers.fail()
        self._crew.give_up()
        self._peers = None
        self._become(self._make(None))
        self._reporter.say(f"No worker can help to train the {self._training.stage} any more: going on without.")

    def _become(self, trainee: Trainee) -> None:
        trainee.load_state_dict(self._trainee.state_dict())
        self._trainee = trainee
