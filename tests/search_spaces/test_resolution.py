"""Resolution: an edge that sees a smaller image, and a cloud that gets features of the size that it expects."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyramid import small_fcos
from torch import Tensor, nn
from torchvision.models.swin_transformer import SwinTransformer
from torchvision.models.vision_transformer import VisionTransformer

from automl.conformance import stir
from automl.tasks.detector_rules import FcosRules
from automl.tasks.one_stage import OneStage
from evaluators.flops import flops
from evaluators.memory import peak_activation_bytes
from search_spaces.arrangement import Arrangement
from search_spaces.chain import Chain, chain_of
from search_spaces.config import Config
from search_spaces.modules import layout_of
from search_spaces.resolution import Restoration, resized, resolutions_of
from search_spaces.space import SearchSpace, default_space
from search_spaces.supernet import BottleneckOptions, Supernet

SIDE = 64
IMAGES = torch.rand(2, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
FRESH = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


class TwoTokens(nn.Module):
    """Its second block reads as many values as the whole image gives."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 4, 4)
        self.mixed = nn.Linear(4 * (SIDE // 4) ** 2, 6)
        self.head = nn.Linear(6, 2)

    def forward(self, images: Tensor) -> Tensor:
        return self.head(self.mixed(self.stem(images).flatten(1)).relu())


def one_tensor() -> nn.Module:
    return nn.Sequential(
        *(nn.Sequential(nn.Conv2d(a, b, 3, s, 1), nn.BatchNorm2d(b), nn.ReLU()) for a, b, s in
          ((3, 8, 2), (8, 8, 2), (8, 12, 1), (12, 12, 2))),
        nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(48, 5),
    )  # fmt: skip


def swin() -> nn.Module:
    return SwinTransformer([2, 2], 12, [1, 1], [2, 2], [4, 4], num_classes=5)


def pyramid() -> nn.Module:
    return OneStage(small_fcos(4), FcosRules.outputs)


@pytest.fixture(scope="module", params=[one_tensor, pyramid, swin], ids=lambda build: build.__name__)
def supernet(request: pytest.FixtureRequest) -> Supernet:
    torch.manual_seed(0)
    torch.set_num_threads(1)
    model = request.param()
    stir(model)
    net = Supernet(chain_of(model.eval(), IMAGES[:1]), BottleneckOptions(4, (1, 2)))
    net.calibrate(IMAGES, lambda outputs: torch.stack([output.square().mean() for output in outputs]).sum())
    return net.eval()


@pytest.fixture(scope="module")
def space(supernet: Supernet) -> SearchSpace:
    sides = resolutions_of(supernet.cloud, SIDE).sides
    return default_space(replace(supernet.layout, sides=sides), SIDE).narrowed({"width": [2, 4]})


def drawn(data: st.DataObject, space: SearchSpace) -> Config:
    params = {p.name: data.draw(st.sampled_from(p.choices), label=p.name) for p in space.parameters}
    side = data.draw(st.sampled_from(space["resolution"].choices[:-1]), label="side")
    return space.config({**params, "resolution": side, "split": data.draw(st.integers(1, space.layout.splits))})


def test_sides_are_parts_of_the_whole(space: SearchSpace) -> None:
    assert space["resolution"].choices == (32, 40, 48, 56, 64)


@FRESH
@given(data=st.data())
def test_what_is_taught_is_what_is_deployed(supernet: Supernet, space: SearchSpace, data: st.DataObject) -> None:
    config = drawn(data, space)
    derived = supernet.derive(config).eval()
    with torch.no_grad():
        shared, trained, own = supernet.trace(IMAGES, config), derived.trace(IMAGES), derived(IMAGES)
    for ours, *others in zip(own, shared.outputs, trained.outputs, strict=True):
        for theirs in others:
            torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-4)
    assert shared.taps.keys() == trained.taps.keys() == set(derived.tap_points)
    for at, tensors in trained.taps.items():
        assert tuple(tuple(tensor.shape[1:]) for tensor in tensors) == supernet.cloud.crossing[at - 1]


@FRESH
@given(data=st.data())
def test_symbols_have_the_smaller_grid(supernet: Supernet, space: SearchSpace, data: st.DataObject) -> None:
    config = drawn(data, space)
    derived, whole = supernet.derive(config).eval(), supernet.derive(replace(config, resolution=0)).eval()
    assert derived.edge is not None
    with torch.no_grad():
        symbols = derived.crossed(derived.edge(IMAGES)).symbols
    assert tuple(tuple(each.shape[1:]) for each in symbols) == derived.symbol_shapes
    for (_, *small), (_, *large) in zip(derived.symbol_shapes, whole.symbol_shapes, strict=True):
        assert all(ours <= theirs for ours, theirs in zip(small, large, strict=True))


def test_a_smaller_image_costs_the_edge_less(supernet: Supernet, space: SearchSpace) -> None:
    for split in (2, space.layout.splits):
        models = [
            supernet.derive(space.config({"split": split, "edge_modules.stage1": 3, "resolution": side})).eval()
            for side in space["resolution"].choices
        ]
        costs = [flops(model.edge, IMAGES[:1]) for model in models]
        assert costs == sorted(costs) and costs[0] < 0.8 * costs[-1]


def test_the_whole_image_and_the_smaller_one_are_in_memory() -> None:
    net = Supernet(chain(one_tensor()), BottleneckOptions(4, (1,)))
    space = default_space(replace(net.layout, sides=resolutions_of(net.cloud, SIDE).sides), SIDE).narrowed(
        {"width": [4]}
    )
    small, whole = (net.derive(space.config({"split": 2, "resolution": side})).eval() for side in (32, SIDE))
    assert small.edge is not None and whole.edge is not None
    assert peak_activation_bytes(small.edge, IMAGES[:1]) >= 4 * 3 * (SIDE**2 + 32**2)
    assert peak_activation_bytes(small.edge, IMAGES[:1]) < peak_activation_bytes(whole.edge, IMAGES[:1])


def test_gradients_reach_both_ends_at_a_smaller_resolution(supernet: Supernet, space: SearchSpace) -> None:
    supernet.zero_grad()
    trace = supernet.trace(IMAGES, space.config({"split": 2, "stride": 2, "bits": 6, "resolution": 40}))
    torch.stack([output.square().mean() for output in trace.outputs]).sum().backward()
    bottleneck = supernet.bottlenecks["2"]
    assert bottleneck.encoders["2"].project.weight.grad.any()
    assert bottleneck.decoders["2"].expand.weight.grad.any()
    supernet.zero_grad()


def test_half_a_side_is_the_mean_of_four_pixels() -> None:
    torch.testing.assert_close(resized(IMAGES, (32, 32)), nn.functional.avg_pool2d(IMAGES, 2))


@pytest.mark.parametrize("shape", [(5, 8, 8), (8, 8, 5), (12, 12, 12)])
def test_features_are_brought_back_as_they_lie(shape: tuple[int, ...]) -> None:
    whole = Arrangement.of(shape)
    small = replace(whole, sides=(4, 4))
    assert whole.resized(small.shape) == small
    assert Restoration(whole)(torch.rand(2, *small.shape)).shape == (2, *shape)


@pytest.mark.parametrize(("shape", "other"), [((9, 4), (4, 4)), ((7,), (6,)), ((5, 8, 8), (6, 4, 4))])
def test_other_features_cannot_be_brought_back(shape: tuple[int, ...], other: tuple[int, ...]) -> None:
    assert Arrangement.of(shape).resized(shape) == Arrangement.of(shape)
    with pytest.raises(ValueError, match="in another size"):
        Arrangement.of(shape).resized(other)


def chain(model: nn.Module) -> Chain:
    return chain_of(model.eval(), IMAGES[:1])


def test_a_model_with_an_embedding_a_place_has_no_other_resolution_and_says_why() -> None:
    found = resolutions_of(chain(VisionTransformer(SIDE, 16, 2, 2, 8, 16, num_classes=3)), SIDE)
    assert found.sides == ()
    assert "Wrong image height! Expected 64 but got another" in found.reason


def test_a_model_that_counts_places_has_no_other_resolution() -> None:
    found = resolutions_of(chain(TwoTokens()), SIDE)
    assert found.sides == () and "does not run at 56 x 56 pixels" in found.reason


def test_where_nothing_is_smaller_there_is_no_choice() -> None:
    found = resolutions_of(chain(one_tensor()), 8)
    assert found.sides == () and "no smaller image" in found.reason


def test_a_space_is_that_of_a_chain_without_resolutions_unless_it_is_told_of_some(supernet: Supernet) -> None:
    assert layout_of(supernet.cloud).sides == ()
