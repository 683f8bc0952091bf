"""LinearCode: what a bottleneck starts from."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from search_spaces.linear_code import LinearCode, linear_code, metric


def _material(seed: int, size: int = 8) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    mixes = torch.randn(2, size, size, generator=generator).double()
    rows = torch.randn(400, size, generator=generator).double() @ mixes[0] + 3
    gradients = torch.randn(400, size, generator=generator).double() @ mixes[1].tril()
    return rows, gradients


def _felt_error(code: LinearCode, rows: Tensor, gradients: Tensor) -> float:
    error = rows - code.mean - (rows - code.mean) @ code.encode.T @ code.decode.T
    return float(((error @ metric(gradients)) * error).sum(1).mean())


@given(seed=st.integers(0, 10_000))
def test_as_many_components_as_features_lose_nothing(seed: int) -> None:
    rows, gradients = _material(seed)
    assert _felt_error(linear_code(rows, gradients, 99), rows, gradients) < 1e-12


@given(seed=st.integers(0, 10_000), width=st.integers(1, 7))
def test_the_loss_feels_less_error_than_with_plain_principal_components(seed: int, width: int) -> None:
    rows, gradients = _material(seed)
    plain = linear_code(rows, torch.zeros_like(gradients), width)
    weighed = linear_code(rows, gradients, width)
    assert _felt_error(weighed, rows, gradients) <= _felt_error(plain, rows, gradients) * (1 + 1e-9)


@given(seed=st.integers(0, 10_000), width=st.integers(1, 7))
def test_a_narrower_code_is_a_prefix_of_a_wider_one(seed: int, width: int) -> None:
    rows, gradients = _material(seed)
    narrow, wide = (linear_code(rows, gradients, each) for each in (width, 8))
    assert torch.allclose(narrow.encode, wide.encode[:width])
    assert torch.allclose(narrow.decode, wide.decode[:, :width])


def test_a_feature_that_the_loss_does_not_feel_comes_last() -> None:
    rows = torch.randn(1000, 3, generator=torch.Generator().manual_seed(0)).double()
    gradients = torch.randn(1000, 3, generator=torch.Generator().manual_seed(1)).double()
    code = linear_code(rows, gradients * torch.tensor([0.0, 20.0, 10.0]), 3)
    assert code.encode.abs().argmax(1).tolist() == [1, 2, 0]
