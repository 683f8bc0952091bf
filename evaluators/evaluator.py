"""Evaluator: one measure of one derived model."""

from __future__ import annotations

from typing import Protocol

from evaluators.subject import Subject


class Evaluator(Protocol):
    """Measures one thing; deterministic, leaves the subject as it is."""

    name: str

    def measure(self, subject: Subject) -> float:
        """Return the measure in its unit."""
        ...
