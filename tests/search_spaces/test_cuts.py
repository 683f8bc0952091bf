"""Cuts: one tensor crosses as long as that can be; then the levels of a pyramid do, and nothing that cannot pay."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyramid import small_fcos
from torch import Tensor, nn

from automl.conformance import check_model, stir
from automl.tasks.detector_rules import FcosRules
from automl.tasks.one_stage import OneStage
from search_spaces.chain import Chain, chain_of
from search_spaces.modules import layout_of
from search_spaces.payload import tensors_of
from search_spaces.space import SearchSpace, default_space
from search_spaces.supernet import BottleneckOptions, Supernet

IMAGES = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
FRESH = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
WIDE = (4, 5)
"""The split points that several tensors cross."""


@pytest.fixture(scope="module")
def detector() -> nn.Module:
    torch.manual_seed(0)
    torch.set_num_threads(1)
    model = OneStage(small_fcos(4), FcosRules.outputs)
    stir(model)
    return model.eval()


@pytest.fixture(scope="module")
def chain(detector: nn.Module) -> Chain:
    return chain_of(detector, IMAGES[:1])


@pytest.fixture(scope="module")
def space(chain: Chain) -> SearchSpace:
    return default_space(layout_of(chain), 64)


@pytest.fixture(scope="module")
def supernet(chain: Chain, space: SearchSpace) -> Supernet:
    net = Supernet(chain, BottleneckOptions.of(space))
    net.calibrate(IMAGES, lambda outputs: torch.stack([output.square().mean() for output in outputs]).sum())
    return net.eval()


def test_behind_the_last_place_for_one_tensor_complete_levels_cross(chain: Chain) -> None:
    assert chain.crossing == (
        ((8, 32, 32),),
        ((12, 16, 16),),
        ((16, 8, 8),),
        ((32, 4, 4), (32, 8, 8)),
        ((32, 4, 4), (32, 8, 8), (32, 2, 2)),
    )


def test_splitting_and_joining_at_every_cut_is_the_model(detector: nn.Module, chain: Chain) -> None:
    with torch.no_grad():
        expected = detector(IMAGES)
        for cut in range(1, len(chain.blocks)):
            crossing = nn.Sequential(*chain.blocks[:cut])(IMAGES)
            assert tuple(tuple(t.shape[1:]) for t in tensors_of(crossing)) == chain.crossing[cut - 1]
            for ours, theirs in zip(nn.Sequential(*chain.blocks[cut:])(crossing), expected, strict=True):
                torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=0)


def test_every_law_of_chain_modules_and_export_holds(detector: nn.Module) -> None:
    assert check_model(detector, IMAGES[:1]).parts


def drawn(data: st.DataObject, space: SearchSpace) -> dict[str, int]:
    params = {p.name: data.draw(st.sampled_from(p.choices), label=p.name) for p in space.parameters}
    return {**params, "split": data.draw(st.sampled_from(WIDE), label="split")}


@FRESH
@given(data=st.data())
def test_a_split_that_several_tensors_cross_is_derived_and_trained_as_any_other(
    supernet: Supernet, space: SearchSpace, data: st.DataObject
) -> None:
    config = space.config(drawn(data, space))
    derived = supernet.derive(config).eval()
    with torch.no_grad():
        shared, trained, own = supernet.trace(IMAGES, config), derived.trace(IMAGES), derived(IMAGES)
    for ours, *others in zip(own, shared.outputs, trained.outputs, strict=True):
        for theirs in others:
            torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-4)
    assert len(shared.quantised) == len(trained.quantised) == config.split - 2
    assert trained.taps.keys() == set(derived.tap_points)


@FRESH
@given(data=st.data())
def test_every_tensor_has_symbols_of_the_width_and_the_range_that_the_config_says(
    supernet: Supernet, space: SearchSpace, data: st.DataObject
) -> None:
    config = space.config(drawn(data, space))
    derived = supernet.derive(config).eval()
    assert derived.edge is not None
    symbols = derived.edge(IMAGES)
    assert tuple(tuple(each.shape[1:]) for each in symbols) == derived.symbol_shapes
    assert all(each.dtype == torch.uint8 and int(each.max()) < 2**config.bits for each in symbols)
    assert {shape[0] for shape in derived.symbol_shapes} == {config.width}


def test_gradients_reach_every_bottleneck_of_a_split_and_no_other(supernet: Supernet, space: SearchSpace) -> None:
    supernet.zero_grad()
    trace = supernet.trace(IMAGES, space.config({"split": 5, "stride": 1, "bits": 6}))
    torch.stack([output.square().mean() for output in trace.outputs]).sum().backward()
    parts = supernet.bottlenecks["5"]
    assert all(part.encoders["1"].project.weight.grad is not None for part in parts)
    assert all(p.grad is None for p in supernet.bottlenecks["4"].parameters())


class TwoTowers(nn.Module):
    """Features that two towers read, as heads do: inside the towers more crosses than before them."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.body = nn.Conv2d(3, 4, 3, 2, 1), nn.Conv2d(4, 4, 3, 1, 1)
        self.left = nn.Sequential(nn.Conv2d(4, 4, 3, 1, 1), nn.ReLU(), nn.Conv2d(4, 2, 1))
        self.right = nn.Sequential(nn.Conv2d(4, 4, 3, 1, 1), nn.ReLU(), nn.Conv2d(4, 2, 1))

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        features = self.body(self.stem(images))
        return self.left(features), self.right(features)


def test_a_cut_that_carries_as_much_again_is_not_made() -> None:
    assert chain_of(TwoTowers(), IMAGES[:1]).crossing == (((4, 32, 32),), ((4, 32, 32),))


class Shared(nn.Module):
    """A layer with weights that is called on both sides of what would be a cut."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.down = nn.Conv2d(3, 4, 3, 2, 1), nn.Conv2d(4, 4, 3, 2, 1)
        self.both, self.last = nn.Conv2d(4, 4, 3, 1, 1), nn.Conv2d(4, 4, 1)

    def forward(self, images: Tensor) -> Tensor:
        fine = self.stem(images)
        coarse = self.both(self.down(fine))
        return self.both(fine) + F.interpolate(self.last(coarse), size=fine.shape[-2:])


def test_no_cut_parts_the_calls_of_one_layer() -> None:
    model = Shared().eval()
    chain = chain_of(model, IMAGES[:1])
    owners = [{id(p) for p in block.parameters()} for block in chain.blocks]
    assert len(owners) > 1
    assert not any(one & other for i, one in enumerate(owners) for other in owners[i + 1 :])
    torch.testing.assert_close(chain(IMAGES)[0], model(IMAGES), atol=1e-5, rtol=0)


class Dense(nn.Module):
    """Every layer reads all before it; the first one's output is needed by two layers alone."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.one = nn.Conv2d(3, 4, 3, 2, 1), nn.Conv2d(4, 4, 3, 1, 1)
        self.two, self.three = nn.Conv2d(8, 4, 3, 1, 1), nn.Conv2d(4, 4, 1)

    def forward(self, images: Tensor) -> Tensor:
        start = self.stem(images)
        one = self.one(start)
        two = self.two(torch.cat([start, one], 1))
        return one + self.three(two)


def test_dense_connections_cross_together_once_an_earlier_one_is_no_longer_needed() -> None:
    chain = chain_of(Dense().eval(), IMAGES[:1])
    assert chain.crossing == (((4, 32, 32),), ((4, 32, 32), (4, 32, 32)))
