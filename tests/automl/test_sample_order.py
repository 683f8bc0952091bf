"""Sample order: what lies class by class is refused, and what chance orders so is not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import pytest
import torch

from automl.sample_order import check_order
from deploy.errors import UserError
from search_spaces.task import DataSplit, SplitName, Task


@dataclass(frozen=True)
class Labelled:
    """As much of a task as is looked at."""

    labels: tuple[int, ...]
    name: str = "mine"

    def data(self, split: SplitName) -> DataSplit:
        targets = tuple({"label": torch.tensor(label)} for label in self.labels)
        return DataSplit(split, torch.zeros(len(targets), 3, 1, 1, dtype=torch.uint8), targets)


def check(*labels: int) -> None:
    check_order(cast(Task, Labelled(labels)))


def test_classes_one_after_the_other_are_refused() -> None:
    with pytest.raises(UserError, match="task 'mine' has its training samples in the order of their classes"):
        check(*[0] * 200, *[1] * 200)


def test_mixed_classes_pass() -> None:
    check(*[0, 1] * 200)


def test_a_class_that_is_nearly_everything_passes() -> None:
    check(*[0] * 990, *[1] * 10)


def test_few_samples_pass() -> None:
    check(*[0] * 64, *[1] * 64)
