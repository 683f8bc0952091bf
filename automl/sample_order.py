"""Sample order: samples that lie class by class are refused, for statistics are taken of the first ones."""

from __future__ import annotations

from collections import Counter

from deploy.errors import UserError
from search_spaces.task import Task

FIRST = 128
"""Samples that are looked at: the fewest of which any statistics are taken."""
BY_CHANCE = 1e-6
"""Below this probability an order in which the first ones are of one class is none by chance."""


def check_order(task: Task) -> None:
    """Check that the first training samples can stand for all.

    Raises:
        UserError: they are all of one class, and by chance they would hardly be.
    """
    labels = [int(target["label"]) for target in task.data("train").targets if "label" in target]
    first = set(labels[:FIRST])
    if len(first) != 1 or len(labels) <= FIRST:
        return
    (label,) = first
    if (Counter(labels)[label] / len(labels)) ** FIRST < BY_CHANCE:
        raise UserError(
            f"task '{task.name}' has its training samples in the order of their classes (the first {FIRST} are all "
            f"of class {label}): shuffle them, for statistics are taken of the first ones"
        )
