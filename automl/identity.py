"""Identity: what a study was made with, and the refusal to continue it with something else."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from automl.flat import flattened
from deploy.errors import UserError
from search_spaces.objective import Constraint, Objective
from search_spaces.space import SearchSpace

ACCEPTABLE = ("versions", "threads")
FREE = ("finalists",)
"""What shapes finalists alone: a change is noted and stands in nobody's way, for each is measured only once."""
LONGEST = 90
MOST = 5
"""Differences that a refusal names; whole stages of training may differ."""


@dataclass(frozen=True)
class Difference:
    """One item that a study was made with and that is different now; ``key`` is dotted, e.g. ``versions.torch``."""

    key: str
    old: Any
    new: Any

    @property
    def group(self) -> str:
        """The item at the top, e.g. ``versions``."""
        return self.key.partition(".")[0]

    def __str__(self) -> str:
        return f"{self.key} was {_short(self.old)} and is now {_short(self.new)}"


def full_identity(
    identity: Mapping[str, Any],
    space: SearchSpace,
    objectives: Sequence[Objective],
    constraints: Sequence[Constraint],
    sampler: str,
    seed: int,
) -> dict[str, Any]:
    """Return the caller's identity with everything that the study itself knows, as plain JSON values."""
    own = {
        "objectives": [objective.name for objective in objectives],
        "constraints": sorted(str(constraint) for constraint in constraints),
        "space": {parameter.name: list(parameter.choices) for parameter in space.parameters},
        "sampler": sampler,
        "seed": seed,
    }
    plain: dict[str, Any] = json.loads(json.dumps({**identity, **own}))
    return plain


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Difference]:
    """Return what differs, by dotted key."""
    before, after = flattened(old), flattened(new)
    keys = [*before, *(key for key in after if key not in before)]
    return [Difference(key, before.get(key), after.get(key)) for key in keys if before.get(key) != after.get(key)]


def refuse(name: str, found: Sequence[Difference], accept: Collection[str], searching: bool = True) -> None:
    """Refuse to go on where something differs that is not accepted.

    Args:
        name: The run's name.
        found: What differs.
        accept: Groups of items that may differ.
        searching: The run is to be continued; else only a trial of it is to be built again.

    Raises:
        UserError: naming the first differences and how to go on.
    """
    refused = [difference for difference in found if difference.group not in (*accept, *FREE)]
    if not refused:
        return
    groups = dict.fromkeys(difference.group for difference in refused)
    flags = [f"--accept-{group}" for group in groups if group in ACCEPTABLE]
    ways = ["Go on with the old values"]
    if len(flags) == len(groups):
        ways.append(f"accept that with {' '.join(flags)}")
    if searching:
        ways.append("start afresh beside it with --new")
    what = f"run '{name}' cannot be continued" if searching else f"no trial of run '{name}' can be built as it was"
    more = f"; and {len(refused) - MOST} more" if len(refused) > MOST else ""
    raise UserError(f"{what}: {'; '.join(map(str, refused[:MOST]))}{more}. {', or '.join(ways)}")


def _short(value: Any) -> str:
    text = "not there" if value is None else json.dumps(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."
