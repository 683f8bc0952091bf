"""Search: the loop that asks, measures and tells until the budget, the time or the space is used up."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from optuna.trial import FrozenTrial, TrialState

from automl.asking import Once, SpaceExhaustedError
from automl.distributions import config_of, params_of
from automl.heartbeat import Heartbeat
from automl.ledger import POLL_SECONDS, Claim, Ledger
from automl.record import kind_of
from automl.samplers.sampler import Ask, SamplerFactory, known_before
from automl.seeds import trial_seed
from automl.turn import in_turn
from deploy.errors import UserError
from evaluators.measurement import Measurement
from search_spaces.config import Config
from search_spaces.space import SearchSpace

Measure = Callable[[Config, int], Measurement]
Along = Callable[[Config], Mapping[Config, Measurement]]
"""Says of a Config that was measured just now which others were measured with it."""
Reason = Literal["budget", "timeout", "exhausted", "interrupted"]


def alone(config: Config) -> Mapping[Config, Measurement]:
    """Return nothing: no Config is measured along with another one."""
    return {}


def never() -> bool:
    """Return False: nothing stops the search from outside."""
    return False


@dataclass(frozen=True)
class Outcome:
    """Why a search ended.

    Attributes:
        reason: The budget is reached, the time is up, no configuration is left, or the user interrupted.
        done: Search trials that are COMPLETE, over all runs of the study.
        budget: Search trials that were asked for in total.
    """

    reason: Reason
    done: int
    budget: int


@dataclass
class Search:
    """One process's part in a search; any number of processes share one study.

    Attributes:
        ledger: The study's trials.
        space: What is searched.
        factory: Builds the sampler of each ask.
        seed: The study's seed.
        measure: Measures a canonical Config with a trial's seed.
        told: Called with the number of each trial that this process finishes.
        budget: Search trials in total.
        deadline: ``time.monotonic()`` after which nothing more is begun.
        first: Configs of the user's own, tried before the sampler is asked.
        anchors: Configs measured before everything else and not counted.
        stop: Asked before every trial; True ends the search as interrupted, with the trial in flight done.
        along: What was measured along with a Config.
    """

    ledger: Ledger
    space: SearchSpace
    factory: SamplerFactory
    seed: int
    measure: Measure
    told: Callable[[int], None]
    budget: int
    deadline: float | None = None
    first: Sequence[Config] = ()
    anchors: Sequence[Config] = ()
    stop: Callable[[], bool] = never
    along: Along = alone
    _size: int = field(init=False)

    def __post_init__(self) -> None:
        self._size = self.space.size()
        for config in self.first:
            if params_of(self.space, config) is None:
                raise UserError(f"a configuration to try first lies outside the space: {config}")

    def run(self) -> Outcome:
        """Run to the end; whatever happens, nothing of this process stays RUNNING.

        Raises:
            Exception: what ``measure`` or ``told`` raised; the trial in flight is failed.
        """
        try:
            reason = self._loop()
        except KeyboardInterrupt:
            self.ledger.fail_own("interrupted")
            reason = "interrupted"
        except BaseException as error:
            self.ledger.fail_own(f"{type(error).__name__}: {error}"[:500])
            raise
        return Outcome(reason, counts(self.ledger.trials())[0], self.budget)

    def _loop(self) -> Reason:
        while True:
            reason = self._step(self.ledger.living())
            if reason is not None:
                return reason

    def _step(self, trials: Sequence[FrozenTrial]) -> Reason | None:
        taken = self.ledger.taken(trials)
        anchor = next((config for config in map(self.space.canonical, self.anchors) if config not in taken), None)
        done, busy, anchored = counts(trials)
        if done >= self.budget and anchor is None and not anchored:
            return "budget"
        if self.stop():
            return "interrupted"
        late, busy_beside = self._late(), busy + anchored
        if late and not busy_beside:
            return "timeout"
        if anchor is not None and not late:
            self._anchor(anchor)
            return None
        full = self._full(taken)
        if late or done + busy >= self.budget or (full and busy_beside):
            # Others measure the rest; should one of them die, what it had is free again.
            time.sleep(POLL_SECONDS)
            return None
        if full:
            return "exhausted"
        claim = self.ledger.claim_search(trials)
        if claim is not None:
            with Heartbeat(self.ledger, claim.trial_id):
                self._search(claim)
        return None

    def _search(self, claimed: Claim) -> None:
        ask = Ask(self.space, self.ledger.objectives, self.seed, claimed.index)
        sampler = self.factory(ask)
        claim = in_turn(self.ledger, claimed, known_before(sampler, ask.index), self._late)
        if claim is None:
            return
        taken = self.ledger.taken(claim.trials)
        if not taken.issuperset(map(self.space.canonical, self.anchors)):
            self.ledger.fail(claim.number, "an anchor that a dead process left comes first")
            return
        mine = next((config for config in self.first if self.space.canonical(config) not in taken), None)
        fixed = params_of(self.space, mine) if mine else None
        try:
            params = self.ledger.draw(claim, Once(sampler, ask, taken, fixed))
        except SpaceExhaustedError:
            self.ledger.fail(claim.number, "no configuration was left")
            return
        self._measured(claim, config_of(self.space, params))

    def _anchor(self, config: Config) -> None:
        claim = self.ledger.claim_anchor(config)
        with Heartbeat(self.ledger, claim.trial_id):
            self._measured(claim, config)

    def _measured(self, claim: Claim, config: Config) -> None:
        if not self.ledger.settle(claim, config):
            return
        began = time.perf_counter()
        measurement = self.measure(config, trial_seed(self.seed))
        # Before the trial itself: whoever finds it finished need not look for them.
        for other, found in self.along(config).items():
            if other != config:
                self.ledger.note(other, found)
        if self.ledger.finish(claim, measurement, time.perf_counter() - began):
            self.told(claim.number)

    def _late(self) -> bool:
        return self.deadline is not None and time.monotonic() >= self.deadline

    def _full(self, taken: set[Config]) -> bool:
        return len(taken) >= self._size and all(config in taken for config in self.space.configs())


def counts(trials: Sequence[FrozenTrial]) -> tuple[int, int, int]:
    """Return how many search trials are COMPLETE, how many RUNNING, and how many anchors are RUNNING."""
    states = Counter((kind_of(trial), trial.state) for trial in trials)
    running = TrialState.RUNNING
    return states["search", TrialState.COMPLETE], states["search", running], states["anchor", running]
