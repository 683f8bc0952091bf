"""The chain: the model itself, cut where few tensors cross."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torchvision.models import resnet18

from deploy.errors import UserError
from search_spaces.chain import Chain, chain_of


def test_the_chain_is_the_model(model: nn.Module, chain: Chain, images: Tensor) -> None:
    for ours, theirs in zip(chain(images), model(images), strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=0)


def test_cuts_lie_before_heavy_operations_and_cheap_ones_stay_with_their_maker(chain: Chain) -> None:
    assert chain.shapes == ((8, 8, 8), (8, 8, 8), (12, 4, 4), (12, 4, 4), (80,))


def test_branches_that_leave_the_same_features_are_one_block(chain: Chain) -> None:
    outputs = chain.blocks[-1](torch.rand(1, 12, 4, 4))
    assert [tuple(output.shape) for output in outputs] == [(1, 80), (1, 4, 4, 4)]


def test_torchvisions_resnet18_is_cut_at_stem_and_every_block() -> None:
    torch.manual_seed(0)
    network = resnet18(num_classes=10).eval()
    example = torch.rand(1, 3, 64, 64)
    chain = chain_of(network, example)
    assert len(chain.blocks) == 10
    torch.testing.assert_close(chain(example)[0], network(example), atol=1e-5, rtol=0)


def test_the_model_itself_is_left_alone(model: nn.Module, chain: Chain) -> None:
    theirs = {id(parameter) for parameter in model.parameters()}
    assert not theirs & {id(parameter) for parameter in chain.parameters()}


class _Branches(nn.Module):
    def forward(self, images: Tensor) -> Tensor:
        return images if images.sum() > 0 else -images


def test_a_model_that_cannot_be_traced_is_named_with_what_to_do() -> None:
    with pytest.raises(UserError, match=r"cannot trace _Branches: .*control flow"):
        chain_of(_Branches(), torch.rand(1, 3, 8, 8))


def test_a_model_of_one_piece_cannot_be_split() -> None:
    with pytest.raises(UserError, match="no place where few tensors cross"):
        chain_of(nn.Sequential(nn.Conv2d(3, 4, 1)), torch.rand(1, 3, 8, 8))
