"""Top-1 and its bootstrap."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from evaluators.top1 import bootstrap_top1, top1

PREDICTIONS = [{"scores": np.eye(3, dtype=np.float32)[guess]} for guess in (0, 1, 2, 2)]
TARGETS = [{"label": torch.tensor(label)} for label in (0, 1, 2, 0)]


def test_top1_is_the_share_that_is_right() -> None:
    assert top1(PREDICTIONS, TARGETS) == 0.75


def test_a_weight_is_a_number_of_copies() -> None:
    weights = np.array([[1, 1, 1, 1], [0, 0, 0, 4], [2, 0, 1, 1]])
    assert bootstrap_top1(PREDICTIONS, TARGETS, weights) == pytest.approx([0.75, 0.0, 0.75])
