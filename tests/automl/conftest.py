"""A classification task that is small enough to train on in a test."""

from __future__ import annotations

import pytest
import torch

from automl.tasks.classification import ClassificationTask, Counts


@pytest.fixture(scope="module")
def task() -> ClassificationTask:
    torch.set_num_threads(1)
    return ClassificationTask(counts=Counts(64, 32, 32))
