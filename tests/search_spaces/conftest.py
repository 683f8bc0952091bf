"""A small network, its chain, its space and its supernet."""

from __future__ import annotations

import pytest
import torch
from small_network import TwoHeads
from torch import Tensor, nn

from automl.conformance import stir
from search_spaces.chain import Chain, chain_of
from search_spaces.modules import layout_of
from search_spaces.space import SearchSpace, default_space
from search_spaces.supernet import BottleneckOptions, Supernet

SIZE = 32


@pytest.fixture
def images() -> Tensor:
    return torch.rand(4, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def model() -> nn.Module:
    torch.manual_seed(0)
    torch.set_num_threads(1)
    network = TwoHeads()
    stir(network)
    return network.eval()


@pytest.fixture
def chain(model: nn.Module, images: Tensor) -> Chain:
    return chain_of(model, images[:1])


@pytest.fixture
def space(chain: Chain) -> SearchSpace:
    return default_space(layout_of(chain), SIZE)


@pytest.fixture
def supernet(chain: Chain, space: SearchSpace, images: Tensor) -> Supernet:
    net = Supernet(chain, BottleneckOptions.of(space))
    net.calibrate(images, lambda outputs: torch.stack([output.square().mean() for output in outputs]).sum())
    return net.eval()
