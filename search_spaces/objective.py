"""Objectives and constraints, chosen by name."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Literal

from deploy.errors import UserError, unknown

Direction = Literal["maximize", "minimize"]

DIRECTIONS: dict[str, Direction] = {
    "quality": "maximize",
    "edge_flops": "minimize",
    "bytes": "minimize",
    "cloud_flops": "minimize",
    "edge_params": "minimize",
    "edge_memory": "minimize",
    "latency": "minimize",
    "latency_p50": "minimize",
    "latency_p95": "minimize",
    "energy": "minimize",
}
PROFILED = ("latency", "latency_p50", "latency_p95", "energy")
"""Measures that only a run with a device profile has."""
TINY = 1e-6
"""What counts as the smallest value in a ratio, so that 0 has one."""
DEFAULT_OBJECTIVES = ("quality", "edge_flops", "bytes")


@dataclass(frozen=True)
class Objective:
    """One measure to optimise and its direction."""

    name: str
    direction: Direction

    @classmethod
    def named(cls, name: str) -> Objective:
        """Return the objective called ``name``.

        Raises:
            UserError: no measure has that name.
        """
        if name not in DIRECTIONS:
            raise unknown("objective", name, DIRECTIONS)
        return cls(name, DIRECTIONS[name])


@dataclass(frozen=True)
class Constraint:
    """A bound on one measure: ``name`` ``<=`` or ``>=`` ``bound``."""

    name: str
    relation: Literal["<=", ">="]
    bound: float

    @classmethod
    def parse(cls, text: str) -> Constraint:
        """Parse ``"bytes<=2000"``.

        Raises:
            UserError: the text is no bound, or names no measure.
        """
        match = re.fullmatch(r"\s*([\w.]+)\s*(<=|>=)\s*([-+.\deE_]+)\s*", text)
        if not match:
            raise UserError(
                f"constraint '{text}' is not of the form NAME<=NUMBER or NAME>=NUMBER, e.g. bytes<=2000"
            )
        name, relation, number = match.groups()
        if name not in DIRECTIONS:
            raise unknown("measure in --constraint", name, DIRECTIONS)
        try:
            bound = float(number)
        except ValueError:
            bound = math.nan
        if not math.isfinite(bound):
            raise UserError(f"constraint '{text}': '{number}' is no number, or too large for one")
        return cls(name, "<=" if relation == "<=" else ">=", bound)

    def violation(self, value: float) -> float:
        """Return how far ``value`` lies beyond the bound; at most 0 when it is met (Optuna's convention).

        It is the logarithm of their ratio, so that samplers can add it up: as they are, multiply-adds would drown
        bytes, and as shares of their bounds bytes that are too many would drown a quality that is too low.
        """
        beyond = value - self.bound if self.relation == "<=" else self.bound - value
        smaller = max(TINY, min(value, self.bound))
        return math.copysign(math.log1p(abs(beyond) / smaller), beyond)

    def __str__(self) -> str:
        return f"{self.name}{self.relation}{repr(self.bound).removesuffix('.0')}"
