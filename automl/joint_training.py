"""Joint training: the same training in this process alone or beside waiting workers, bit for bit."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from automl.crew import Assignment, Crew, State, Team
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

    @property
    def shards(self) -> int:
        """How many parts a batch has."""
        return shard_count(self.samples, self.threads)


def train(
    training: Training,
    make: Making,
    parameters: Sequence[Tensor],
    reporter: Reporter,
    save: Callable[[], None],
    crew: Crew | None = None,
) -> None:
    """Run the steps that are not done yet, beside the crew's workers where there are enough of them.

    Args:
        training: What it is.
        make: Makes the trainee.
        parameters: What it learns.
        reporter: Hears of the stage and its progress.
        save: Keeps the result.
        crew: The workers.
    """
    torch.set_num_threads(training.threads // training.shards)
    first = None
    if crew is not None and crew.is_enough(training.shards):
        team = crew.team(training.shards, room(parameters))
        leading = _Leading(make(team.peers), team, training)
        try:
            return _run(training, leading, reporter, save)
        except PeerLostError:
            team.peers.fail()
            reporter.say(f"A worker ended while it trained the {training.stage}: going on without it.")
            first = leading.begun
    alone = make(None)
    if first is not None:
        alone.load_state_dict(first)
    _run(training, alone, reporter, save)


def _run(training: Training, trainee: Trainee, reporter: Reporter, save: Callable[[], None]) -> None:
    run_steps(trainee, training.steps, training.checkpoint, reporter, training.stage, save=save)


def train_beside(assignment: Assignment, training: Training, make: Making, peers: Peers) -> None:
    """Do a worker's part of a training.

    Raises:
        PeerLostError: another process has ended, or given up.
    """
    torch.set_num_threads(training.threads // training.shards)
    trainee = make(peers)
    trainee.load_state_dict(assignment.state)
    for index in range(assignment.first, assignment.steps):
        trainee.step(index)


class _Leading:
    """A trainee whose first step, whichever it is, sets its peers going from the same state."""

    def __init__(self, trainee: Trainee, team: Team, training: Training) -> None:
        self._trainee, self._team, self._training = trainee, team, training
        self.begun: State | None = None

    def step(self, index: int) -> float:
        if self.begun is None:
            self.begun = copy.deepcopy(self._trainee.state_dict())
            self._team.begin(self._training.stage, index, self._training.steps, self.begun)
        return self._trainee.step(index)

    def state_dict(self) -> State:
        return self._trainee.state_dict()

    def load_state_dict(self, state: State) -> None:
        self._trainee.load_state_dict(state)
