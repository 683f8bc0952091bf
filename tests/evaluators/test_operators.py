"""Operators: their multiply-adds are fvcore's; where channels are computed in blocks, fewer gain nothing."""

from __future__ import annotations

from collections import Counter

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional
from torchvision.models import mobilenet_v2

from evaluators.flops import flops
from evaluators.operators import operators_of
from evaluators.program import Operator, Program


class Attending(nn.Module):
    """A few products in one network."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.linear = nn.Conv2d(8, 16, 3, padding=1), nn.Linear(16, 16)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        tokens = self.linear(self.conv(images).flatten(2).transpose(1, 2))
        return functional.scaled_dot_product_attention(tokens, tokens, tokens) @ tokens.transpose(1, 2)


def work(program: Program) -> Counter[str]:
    total: Counter[str] = Counter()
    for operator in program:
        total[operator.kind] += operator.work
    return total


def products(program: Program) -> int:
    found = work(program)
    return sum(found.values()) - found["elementwise"] - found["layout"]


def test_the_products_are_those_that_fvcore_counts() -> None:
    module, example = Attending().eval(), torch.zeros(1, 8, 6, 6)
    found = work(operators_of(module, example))
    assert found["conv"] == 36 * 16 * 8 * 9
    assert found["linear"] == 36 * 16 * 16
    assert products(operators_of(module, example)) == flops(module, example)


def test_convolutions_are_told_apart_by_what_decides_their_speed() -> None:
    network = mobilenet_v2(num_classes=7).eval().features
    example = torch.zeros(1, 3, 32, 32)
    found = operators_of(network, example)
    assert {operator.kind for operator in found} == {"conv", "pointwise", "depthwise", "elementwise", "layout"}
    norms = sum(module.num_features for module in network.modules() if isinstance(module, nn.BatchNorm2d))
    assert products(found) < flops(network, example) < products(found) + 2 * 16 * 16 * norms


def test_the_layout_changes_before_and_behind_convolutions_that_follow_one_another() -> None:
    conv = [nn.Conv2d(8, 8, 1) for _ in range(3)]
    chain = operators_of(nn.Sequential(conv[0], nn.ReLU(), conv[1]), torch.zeros(1, 8, 4, 4))
    assert [operator.kind for operator in chain] == ["layout", "pointwise", "pointwise", "layout"]
    broken = operators_of(nn.Sequential(conv[0], nn.Softmax(1), conv[2]), torch.zeros(1, 8, 4, 4))
    assert [operator.kind for operator in broken].count("layout") == 4
    image = operators_of(nn.Conv2d(3, 8, 1), torch.zeros(1, 3, 4, 4))
    assert [operator.kind for operator in image] == ["pointwise", "layout"]


@given(st.integers(1, 200), st.integers(1, 200), st.sampled_from((1, 4, 8, 16)))
def test_channels_are_filled_up_to_whole_blocks(inside: int, out: int, block: int) -> None:
    filled = Operator("conv", inside * out, (inside, out)).in_blocks(block)
    assert filled >= inside * out - 1e-6
    assert filled / -(-out // block) / block == pytest.approx(
        inside if inside <= block else -(-inside // block) * block
    )


def test_what_has_no_channels_has_no_blocks() -> None:
    assert Operator("linear", 77).in_blocks(16) == 77
