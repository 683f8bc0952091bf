"""TrialRecord: what the study knows of one trial, free of any storage."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from evaluators.measurement import Measurement
from search_spaces.config import Config


@dataclass(frozen=True)
class Finalist:
    """A front member after refinement, measured once on test.

    Attributes:
        validation: The refined member on validation.
        test: The refined member on test; its bytes come from the exported edge.
        quality_interval: Bootstrap 95 % interval of the test quality.
        gap_interval: Paired bootstrap 95 % interval of (this quality - the cloud model's quality) on test.
    """

    validation: Measurement
    test: Measurement
    quality_interval: tuple[float, float]
    gap_interval: tuple[float, float]


@dataclass(frozen=True)
class TrialRecord:
    """One finished trial: its Config, the search's validation Measurement and, on the front, the finalist.

    Attributes:
        number: The trial's number in the study.
        kind: ``"search"`` counts against the budget; ``"anchor"`` is an end measured before the search; ``"along"``
            was measured with a search trial of another share that is offloaded.
        config: The canonical Config.
        validation: Measured on validation during the search.
        feasible: Every constraint is met.
        finalist: Set for refined front members.
        seconds: Wall time of the trial.
    """

    number: int
    kind: Literal["search", "anchor", "along"]
    config: Config
    validation: Measurement
    feasible: bool = True
    finalist: Finalist | None = None
    seconds: float = 0.0


@dataclass(frozen=True)
class RunInfo:
    """What tables and plots need to know of a run besides its trials.

    Attributes:
        name: The run's name.
        task: The task's name.
        metric: What ``quality`` is: ``"mAP"`` or ``"top-1"``.
        objectives: Names of the objectives.
        splits: N, the number of blocks: ``config.split`` runs from 0 to N.
        whole_flops: Multiply-adds of the whole cloud model.
        raw_bytes: Bytes of one uncompressed input image.
    """

    name: str
    task: str
    metric: str
    objectives: tuple[str, ...]
    splits: int
    whole_flops: float
    raw_bytes: float
