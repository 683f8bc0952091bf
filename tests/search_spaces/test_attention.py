"""Attention whose heads are modules: the same answers as torch's and torchvision's."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torchvision.models.swin_transformer import (
    PatchMerging,
    PatchMergingV2,
    ShiftedWindowAttention,
    ShiftedWindowAttentionV2,
    SwinTransformer,
    SwinTransformerBlock,
    SwinTransformerBlockV2,
)
from torchvision.models.vision_transformer import VisionTransformer

from automl.conformance import check_model
from evaluators.flops import flops
from search_spaces.attention import Attention, WindowAttention
from search_spaces.chain import chain_of
from search_spaces.modules import decomposable

SWINS = {"v1": (SwinTransformerBlock, PatchMerging), "v2": (SwinTransformerBlockV2, PatchMergingV2)}


def stirred(part: nn.Module) -> nn.Module:
    """Return the part in eval mode, with parameters that all do something."""
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in part.parameters():
            parameter.add_(0.2 * torch.randn(parameter.shape, generator=generator))
    return part.eval()


@pytest.mark.parametrize("bias", [True, False])
def test_attention_answers_as_torchs_does(bias: bool) -> None:
    torch.manual_seed(0)
    theirs = stirred(nn.MultiheadAttention(24, 4, bias=bias, batch_first=True))
    assert isinstance(theirs, nn.MultiheadAttention)
    query, other = torch.rand(2, 5, 24), torch.rand(2, 7, 24)
    expected, _ = theirs(query, other, other, need_weights=False)
    torch.testing.assert_close(Attention.of(theirs).eval()(query, other, other)[0], expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("kind", [ShiftedWindowAttention, ShiftedWindowAttentionV2])
@pytest.mark.parametrize("shift", [0, 2])
@pytest.mark.parametrize("sides", [(8, 8), (4, 4), (10, 7), (3, 9)])
def test_window_attention_answers_as_torchvisions_does(
    kind: type[ShiftedWindowAttention], shift: int, sides: tuple[int, int]
) -> None:
    torch.manual_seed(0)
    theirs = stirred(kind(16, [4, 4], [shift, shift], 4))
    assert isinstance(theirs, ShiftedWindowAttention)
    value = torch.rand(2, *sides, 16)
    expected = theirs(value)
    torch.testing.assert_close(WindowAttention(theirs).eval()(value), expected, atol=1e-5, rtol=1e-5)


def vit() -> nn.Module:
    return VisionTransformer(32, 8, num_layers=2, num_heads=4, hidden_dim=32, mlp_dim=64, num_classes=4)


def swin(kind: str) -> nn.Module:
    block, merging = SWINS[kind]
    sizes = {"patch_size": [2, 2], "embed_dim": 16, "depths": [2, 2], "num_heads": [2, 4], "window_size": [4, 4]}
    return SwinTransformer(**sizes, num_classes=4, block=block, downsample_layer=merging)


@pytest.mark.parametrize("name", ["vit", *SWINS])
def test_transformers_keep_the_laws_and_their_heads_are_modules(name: str) -> None:
    torch.manual_seed(0)
    model = stirred(vit() if name == "vit" else swin(name))
    example = torch.rand(1, 3, 32, 32)
    assert check_model(model, example).covered > 0.7
    assert flops(chain_of(model, example), example) > 0
    parts = [part for block in chain_of(model, example).blocks for _, part in decomposable(block)]
    assert sum(isinstance(part, Attention | WindowAttention) for part in parts) == (2 if name == "vit" else 4)


class Asking(nn.Module):
    """Uses torch's attention in a way of its own."""

    def __init__(self, weights: bool = False, dropout: float = 0.0, mask: torch.Tensor | None = None) -> None:
        super().__init__()
        self.first, self.last, self.weights, self.mask = nn.Linear(8, 8), nn.Linear(8, 8), weights, mask
        self.attention = nn.MultiheadAttention(8, 4, dropout, batch_first=True)

    def forward(self, value: torch.Tensor) -> torch.Tensor:
        value = self.first(value)
        answer, _ = self.attention(value, value, value, need_weights=False)
        answer, weights = self.attention(answer, value, value, self.mask, need_weights=self.weights)
        result: torch.Tensor = self.last(weights @ answer if self.weights else answer)
        return result


@pytest.mark.parametrize(
    "asking", [Asking(weights=True), Asking(dropout=0.1), Asking()], ids=["weights", "drop", "mask"]
)
def test_attention_that_does_more_in_any_call_stays_torchs(asking: Asking) -> None:
    value = torch.rand(1, 4, 8)
    chain = chain_of(asking, value)
    assert any(isinstance(part, nn.MultiheadAttention) for part in chain.modules())
    torch.testing.assert_close(chain(value)[0], asking.eval()(value))
