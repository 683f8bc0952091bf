"""Choices: a discrete Optuna distribution as indices 0..last, in its choices' order."""

from __future__ import annotations

from typing import Any

from optuna.distributions import BaseDistribution, CategoricalDistribution, IntDistribution


def ordered(distribution: BaseDistribution) -> bool:
    """Return whether neighbouring indices mean similar values: true for numbers."""
    if isinstance(distribution, CategoricalDistribution):
        return all(isinstance(choice, int | float) for choice in distribution.choices)
    return True


def last_index(distribution: BaseDistribution) -> int:
    """Return the index of the last choice."""
    if isinstance(distribution, CategoricalDistribution):
        return len(distribution.choices) - 1
    integers = _integers(distribution)
    return (integers.high - integers.low) // integers.step


def index_of(distribution: BaseDistribution, value: Any) -> int:
    """Return the index of a value; law: ``index_of(d, at(d, i)) == i``."""
    if isinstance(distribution, CategoricalDistribution):
        return distribution.choices.index(value)
    integers = _integers(distribution)
    return int(value - integers.low) // integers.step


def at(distribution: BaseDistribution, index: int) -> Any:
    """Return the value of an index."""
    if isinstance(distribution, CategoricalDistribution):
        return distribution.choices[index]
    integers = _integers(distribution)
    return integers.low + index * integers.step


def _integers(distribution: BaseDistribution) -> IntDistribution:
    if not isinstance(distribution, IntDistribution):
        raise TypeError(f"{distribution} is not discrete")
    return distribution
