"""Payloads: one tensor is itself, several are a tuple, and each has its own module."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from search_spaces.payload import Each, each, parts_of, payload_of, tensors_of


@pytest.mark.parametrize("count", [1, 2, 5])
def test_a_payload_is_made_of_its_tensors_and_back(count: int) -> None:
    tensors = tuple(torch.rand(2, 3) for _ in range(count))
    payload = payload_of(tensors)
    assert isinstance(payload, tuple) == (count > 1)
    assert all(ours is theirs for ours, theirs in zip(tensors_of(payload), tensors, strict=True))


@pytest.mark.parametrize("count", [1, 3])
def test_every_tensor_goes_through_its_own_module(count: int) -> None:
    parts = [nn.Linear(3, 3) for _ in range(count)]
    tensors = [torch.rand(2, 3) for _ in range(count)]
    together = each(parts)(payload_of(tensors))
    for ours, part, tensor in zip(tensors_of(together), parts, tensors, strict=True):
        assert torch.equal(ours, part(tensor))
    assert parts_of(each(parts)) == parts


def test_one_part_stays_itself_so_that_its_weights_keep_their_names() -> None:
    part = nn.Linear(3, 3)
    assert each([part]) is part
    assert parts_of(None) == []


def test_too_few_tensors_are_refused() -> None:
    with pytest.raises(ValueError, match="shorter"):
        Each([nn.Identity(), nn.Identity()])(torch.rand(1))
