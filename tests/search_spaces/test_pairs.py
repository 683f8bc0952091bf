"""Pairs of layers: modules of models whose blocks no family knows."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.fx import symbolic_trace
from torchvision.models.inception import InceptionE

from automl.conformance import check_model, check_part, stir
from search_spaces.chain import chain_of
from search_spaces.modules import partitions
from search_spaces.pairs import pairs_of

IMAGES = torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(0))


def conv(inputs: int, outputs: int, groups: int = 1) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, padding=1, groups=groups)


def row() -> nn.Sequential:
    """A plain row as VGG's, and two linear layers behind it."""
    torch.manual_seed(0)
    features = (conv(3, 8), nn.BatchNorm2d(8), nn.ReLU(), conv(8, 12), nn.ReLU(), nn.MaxPool2d(2), conv(12, 16))
    answer = (nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(64, 16), nn.ReLU(), nn.Dropout(), nn.Linear(16, 4))
    return nn.Sequential(*features, nn.ReLU(), conv(16, 16), nn.ReLU(), *answer).eval()


def found(model: nn.Module) -> list[tuple[str, tuple[str, ...], tuple[str, ...]]]:
    traced = symbolic_trace(model)
    return [(each.units.writers[0], each.units.readers, each.norms) for each in pairs_of(traced, traced.graph)]


def test_neighbours_in_a_row_are_pairs_with_the_norms_between() -> None:
    assert found(row()) == [("0", ("3",), ("1",)), ("6", ("8",), ()), ("12", ("15",), ())]


def test_a_long_row_is_cut_behind_its_pairs() -> None:
    chain = chain_of(row(), IMAGES[:1])
    assert chain.shapes == ((12, 8, 8), (64,), (4,))
    assert all(map(partitions, chain.blocks))


def test_a_short_row_is_cut_at_every_layer() -> None:
    chain = chain_of(nn.Sequential(conv(3, 8), nn.ReLU(), conv(8, 8), nn.ReLU(), conv(8, 4)), IMAGES[:1])
    assert [shape[0] for shape in chain.shapes] == [8, 8, 4]
    assert not any(map(partitions, chain.blocks))


def test_a_row_keeps_the_laws() -> None:
    assert check_model(row(), IMAGES[:1]).covered == 1


@pytest.mark.parametrize(
    "between",
    [(nn.GroupNorm(2, 8),), (nn.Softmax(dim=1),), (nn.Upsample(scale_factor=2),), (conv(8, 8, groups=2),)],
    ids=lambda layers: type(layers[0]).__name__,
)
def test_what_mixes_channels_or_is_not_known_parts_no_pair(between: tuple[nn.Module, ...]) -> None:
    assert found(nn.Sequential(conv(3, 8), *between, conv(8, 4))) == []


class Residual(nn.Module):
    """The first layer's channels are read by a sum, too."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = conv(3, 8), conv(8, 8)

    def forward(self, images: Tensor) -> Tensor:
        value = self.first(images)
        answer: Tensor = value + self.second(value)
        return answer


class Twice(nn.Module):
    """One layer is used in two places."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = conv(3, 3), conv(3, 8)

    def forward(self, images: Tensor) -> Tensor:
        answer: Tensor = self.second(self.first(self.first(images)))
        return answer


class SharedNorm(nn.Module):
    """One norm stands in two places."""

    def __init__(self, norm: nn.BatchNorm2d) -> None:
        super().__init__()
        self.first, self.second, self.third, self.norm = conv(3, 8), conv(8, 8), conv(8, 4), norm

    def forward(self, images: Tensor) -> Tensor:
        between = self.norm(self.first(images))
        answer: Tensor = self.third(self.norm(self.second(between)))
        return answer


POOLED = nn.Sequential(nn.Linear(16, 8), nn.AvgPool2d(1, 1), nn.Linear(8, 8))
NORMLESS = nn.Sequential(conv(3, 8), nn.BatchNorm2d(8, affine=False), conv(8, 4))
UNFIT = {
    "residual": Residual(),
    "twice": Twice(),
    "norm": SharedNorm(nn.BatchNorm2d(8)),
    "plain": NORMLESS,
    "pooled": POOLED,
}


@pytest.mark.parametrize("model", UNFIT.values(), ids=UNFIT)
def test_channels_that_something_else_reads_are_no_units(model: nn.Module) -> None:
    assert found(model) == []


def test_branches_of_inception_have_units_and_keep_the_laws() -> None:
    torch.manual_seed(0)
    model = InceptionE(16).eval()
    stir(model)
    block = symbolic_trace(model)
    pairs = [(each.units.writers[0], len(each.readers)) for each in pairs_of(block, block.graph)]
    assert pairs == [("branch3x3_1.conv", 2), ("branch3x3dbl_1.conv", 1)]
    for partition in partitions(block):
        check_part(block, partition, torch.rand(1, 16, 5, 5), "inception")


def test_fewer_units_than_modules_are_no_modules() -> None:
    traced = symbolic_trace(nn.Sequential(conv(3, 3), conv(3, 4)))
    assert len(pairs_of(traced, traced.graph)) == 1
    assert partitions(traced, 4) == ()
    assert len(partitions(traced, 3)) == 1
