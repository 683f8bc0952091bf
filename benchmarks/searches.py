"""Searches that are compared: on one task, with one supernet, over the same seeds."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from report import Table

from automl.blueprint import blueprint
from automl.run_reader import note_run
from automl.settings import RunSettings
from automl.trial import Trial
from automl.work import open_study
from evaluators.measurement import Measurement
from results.hypervolume import hypervolume
from search_spaces.config import Config


@dataclass(frozen=True)
class Volumes:
    """What one search reached: the hypervolume of its search trials alone, and with the anchors."""

    searched: float
    whole: float


@dataclass(frozen=True)
class Arena:
    """Runs searches with one taught supernet.

    The anchors measure the same in every search, because the cloud model's ends are not trained, so each is
    measured once. Nothing is refined and no weights are kept. A search lies in its run's folder as any other does,
    so a benchmark that was interrupted goes on where it stopped.

    Attributes:
        trial: Derives, distils and measures.
    """

    trial: Trial
    _known: dict[Config, Measurement] = field(default_factory=dict)

    def search(self, settings: RunSettings) -> Volumes:
        """Search to the budget, or go on to it."""
        torch.set_num_threads(settings.threads)
        plan = blueprint(settings)
        study, info = open_study(plan), plan.info()
        note_run(settings.where, settings.name, info, plan.space.layout)
        settings.save()
        outcome = study.run(self._measure, settings.budget, anchors=plan.anchors())
        if outcome.reason == "interrupted":
            raise KeyboardInterrupt
        records = study.records()
        searched = [record for record in records if record.kind == "search"]
        return Volumes(hypervolume(searched, info), hypervolume(records, info))

    def _measure(self, config: Config, seed: int) -> Measurement:
        if config not in self._known:
            validation = self.trial.task.data("validation")
            measured = self.trial.measured(self.trial.candidate(config, seed), validation)
            if not self.trial.supernet.is_cloud_model(config):
                return measured
            self._known[config] = measured
        return self._known[config]


def contest(
    arena: Arena, sides: Mapping[str, Callable[[int], RunSettings]], seeds: Sequence[int]
) -> dict[str, list[Volumes]]:
    """Run every side's search of every seed; seed by seed, so that an early stop leaves whole pairs."""
    found: dict[str, list[Volumes]] = {side: [] for side in sides}
    for seed in seeds:
        for side, settings in sides.items():
            found[side].append(arena.search(settings(seed)))
            print(f"seed {seed}, {side}: hypervolume {found[side][-1].searched:.4f}", file=sys.stderr, flush=True)
    return found


def compared(title: str, found: Mapping[str, Sequence[Volumes]]) -> Table:
    """Return the sides' hypervolumes, and the paired differences from the last side; ± is one standard error."""
    floor = np.array([each.searched for each in list(found.values())[-1]])
    rows = []
    for side, volumes in found.items():
        searched = np.array([each.searched for each in volumes])
        whole = np.array([each.whole for each in volumes])
        wins = f"{int((searched > floor).sum())} of {len(floor)}"
        rows.append((side, _mean(searched), _mean(searched - floor), wins, _mean(whole)))
    last = list(found)[-1]
    columns = ("search", "hypervolume", f"above {last}", f"seeds above {last}", "with the anchors")
    return Table(title, columns, tuple(rows))


def _mean(values: np.ndarray) -> str:
    error = values.std(ddof=1) / np.sqrt(len(values)) if len(values) > 1 else float("nan")
    return f"{values.mean():.4f} ± {error:.4f}"
