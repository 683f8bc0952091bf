"""The rate term: the entropy that the shipped tables charge at most, with gradients that lower it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from automl.rate import entropy_bits
from deploy.symbol_tables import SymbolTables
from search_spaces.quantiser import quantise, zero_position


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_on_whole_symbols_it_is_the_cross_entropy_under_their_own_tables(bits: int) -> None:
    generator = torch.Generator().manual_seed(bits)
    levels = 2**bits
    symbols = torch.randint(levels, (200, 3, 8, 8), generator=generator)
    latent = symbols.float() - zero_position(bits)
    ours = float(entropy_bits(quantise(latent, torch.zeros(3), bits)))
    raw = symbols.numpy().astype(np.uint8)
    theirs = SymbolTables.calibrate(raw, bits).cross_entropy_bits(raw).mean()
    assert ours == pytest.approx(theirs, rel=0.01)


def test_following_its_gradient_lowers_it() -> None:
    generator = torch.Generator().manual_seed(0)
    latent = torch.randn(16, 2, 8, 8, generator=generator).requires_grad_()
    before = entropy_bits(quantise(latent, torch.full((2,), -1.0), 4))
    before.backward()
    assert latent.grad is not None
    moved = (latent - 10 * latent.grad).detach()
    assert entropy_bits(quantise(moved, torch.full((2,), -1.0), 4)) < before


def test_a_wider_step_costs_fewer_bits_and_the_step_learns_it() -> None:
    latent = torch.randn(16, 2, 8, 8, generator=torch.Generator().manual_seed(0))
    step = torch.zeros(2, requires_grad=True)
    entropy_bits(quantise(latent, step, 4)).backward()
    assert step.grad is not None and (step.grad < 0).all()
