"""RivalRecord: what has been measured of a run's rivals, in one file beside the run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from automl.run_folder import RunFolder
from deploy.atomic import atomic
from deploy.digest import digest
from results.rival_point import RivalName, RivalPoint, Settings

FORMAT = "eccsearch.rivals/1"
VERSION = 1
"""Raise this whenever a change of the code changes what a rival measures."""


@dataclass
class RivalRecord:
    """The points and parts that have been measured; every change is written at once, whole.

    Attributes:
        path: The file.
        made_with: A hash of all that shapes the figures.
        trials: How many trials the run had: what it finds later has rivals of its own.
        done: The parts that have been measured on validation.
        points: What they measured.
        complete: Nothing is left to measure.
    """

    path: Path
    made_with: str
    trials: int
    done: list[str] = field(default_factory=list)
    points: list[RivalPoint] = field(default_factory=list)
    complete: bool = False

    @classmethod
    def open(cls, folder: RunFolder, identity: Mapping[str, Any], trials: int) -> RivalRecord:
        """Return a run's record; an empty one where none can be read, or it was made with something else.

        Args:
            folder: The run.
            identity: What the run was made with.
            trials: How many trials it has by now.
        """
        made_with, found = _made_with(identity), _read(rivals_file(folder))
        if found is None or found.made_with != made_with:
            return cls(rivals_file(folder), made_with, trials)
        return replace(found, trials=trials, complete=found.complete and found.trials == trials)

    def has(self, rival: RivalName, part: Settings) -> bool:
        """Return whether a part has been measured."""
        return _key(rival, part) in self.done

    def keep(self, rival: RivalName, part: Settings, points: list[RivalPoint]) -> None:
        """Note what a part measured; ``points`` takes the place of all that is known of the rival."""
        self.done.append(_key(rival, part))
        self.points = [point for point in self.points if point.rival != rival] + points
        self.save()

    def renew(self, old: RivalPoint, new: RivalPoint) -> None:
        """Put a point that was measured on test in the place of itself."""
        self.points[self.points.index(old)] = new
        self.save()

    def of(self, rival: RivalName) -> list[RivalPoint]:
        """Return a rival's points."""
        return [point for point in self.points if point.rival == rival]

    def save(self) -> None:
        """Write the file."""
        values = {
            "format": FORMAT,
            "made_with": self.made_with,
            "trials": self.trials,
            "complete": self.complete,
            "measured": self.done,
            "points": [point.to_dict() for point in self.points],
        }
        with atomic(self.path) as path:
            path.write_text(json.dumps(values, allow_nan=False) + "\n", encoding="utf-8")


def rivals_file(folder: RunFolder) -> Path:
    """Return where a run's rivals are kept."""
    return folder.path / "rivals.json"


def rivals_weights(folder: RunFolder, identity: Mapping[str, Any]) -> Path:
    """Return the folder where the weights of a run's rivals are kept: those trained under one identity."""
    return folder.path / "rivals" / _made_with(identity)


def _made_with(identity: Mapping[str, Any]) -> str:
    return digest([VERSION, identity])[:16]


def measured_rivals(folder: RunFolder) -> list[RivalPoint]:
    """Return the points of a run's rivals; none unless all of them have been measured."""
    found = _read(rivals_file(folder))
    return found.points if found and found.complete else []


def _read(path: Path) -> RivalRecord | None:
    """Return what a file holds; None where there is none or it is damaged: then all is measured again."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        points = [RivalPoint.from_dict(point) for point in values["points"]]
        return RivalRecord(
            path, values["made_with"], values["trials"], values["measured"], points, values["complete"]
        )
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def _key(rival: RivalName, part: Settings) -> str:
    return json.dumps([rival, part], sort_keys=True)
