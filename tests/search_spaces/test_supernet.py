"""The supernet: the cloud model at construction, and every derived model on its own weights."""

from __future__ import annotations

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from evaluators.flops import flops
from search_spaces.config import Config
from search_spaces.recalibration import recalibrate
from search_spaces.space import SearchSpace
from search_spaces.supernet import Supernet

FRESH = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def drawn(data: st.DataObject, space: SearchSpace, **fixed: int) -> Config:
    params = {p.name: data.draw(st.sampled_from(p.choices), label=p.name) for p in space.parameters}
    return space.config({**params, **fixed})


def test_at_construction_it_is_the_cloud_model(supernet: Supernet, model: nn.Module, images: Tensor) -> None:
    trace = supernet.trace(images, supernet.cloud_config())
    for ours, theirs in zip(trace.outputs, model(images), strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=0)


@FRESH
@given(data=st.data())
def test_a_derived_model_answers_as_the_shared_weights_do(
    supernet: Supernet, space: SearchSpace, images: Tensor, data: st.DataObject
) -> None:
    config = drawn(data, space)
    derived = supernet.derive(config).eval()
    with torch.no_grad():
        shared, own = supernet.trace(images, config).outputs, derived(images)
    for ours, theirs in zip(own, shared, strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-5)


@FRESH
@given(data=st.data())
def test_what_is_trained_is_what_is_deployed(
    supernet: Supernet, space: SearchSpace, images: Tensor, data: st.DataObject
) -> None:
    derived = supernet.derive(drawn(data, space)).eval()
    with torch.no_grad():
        trained, deployed = derived.trace(images).outputs, derived(images)
    for ours, theirs in zip(trained, deployed, strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-5)


@FRESH
@given(data=st.data(), split=st.integers(1, 4))
def test_symbols_have_the_shape_and_the_range_that_the_config_says(
    supernet: Supernet, space: SearchSpace, images: Tensor, data: st.DataObject, split: int
) -> None:
    config = drawn(data, space, split=split)
    derived = supernet.derive(config).eval()
    assert derived.edge is not None
    symbols = derived.edge(images)
    assert symbols.dtype == torch.uint8
    assert (tuple(symbols.shape[1:]),) == derived.symbol_shapes
    assert int(symbols.max()) < 2**config.bits


def test_fewer_modules_are_fewer_flops_by_fvcore(supernet: Supernet, space: SearchSpace, images: Tensor) -> None:
    counts = [
        flops(supernet.derive(space.config({"split": 4, "edge_modules.stage2": kept})).edge.eval(), images[:1])
        for kept in (0, 1, 2, 3, 4)
    ]
    assert counts == sorted(set(counts))


def test_no_module_kept_is_identity_where_the_shortcut_is(supernet: Supernet, space: SearchSpace) -> None:
    derived = supernet.derive(space.config({"split": 2, "edge_modules.stage1": 0}))
    assert derived.edge is not None
    assert isinstance(derived.edge.blocks[1], nn.Identity)


def test_importance_chooses_the_modules_and_is_not_baked_in(supernet: Supernet) -> None:
    reversed_order = {(block, module): float(module) for block in range(5) for module in range(4)}
    assert supernet.kept_modules(1, 2) == [0, 1]
    assert supernet.kept_modules(1, 2, reversed_order) == [2, 3]


@pytest.mark.parametrize("params", [{"split": 0}, {"split": 5}])
def test_the_ends_run_the_frozen_cloud_model(
    supernet: Supernet, space: SearchSpace, images: Tensor, params: dict[str, int]
) -> None:
    with torch.no_grad():
        for parameter in supernet.chain.parameters():
            parameter.mul_(1.5)
    outputs = supernet.derive(space.config(params)).eval()(images)
    for ours, theirs in zip(outputs, supernet.cloud(images), strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-6, rtol=0)


def test_a_derived_model_says_where_it_leaves_taps(supernet: Supernet, space: SearchSpace, images: Tensor) -> None:
    for split in range(supernet.layout.splits + 1):
        derived = supernet.derive(space.config({"split": split}))
        assert set(derived.tap_points) == derived.trace(images).taps.keys()


def test_calibration_starts_from_the_optimal_linear_code(supernet: Supernet, images: Tensor) -> None:
    """As many components as channels lose nothing: encoder and decoder are each other's inverse."""
    features = supernet.cloud.blocks[0](images)
    bottleneck = supernet.bottlenecks["1"]
    encoder, decoder = bottleneck.encoders["1"], bottleneck.decoders["1"]
    torch.testing.assert_close(decoder(encoder(features)), features, atol=1e-4, rtol=1e-4)


def test_recalibration_leaves_the_average_statistics_of_the_batches(images: Tensor) -> None:
    norm = nn.BatchNorm2d(3)
    recalibrate(norm, [images[:2], images[2:]])
    torch.testing.assert_close(norm.running_mean, images.mean(dim=(0, 2, 3)), atol=1e-6, rtol=0)
    assert not norm.training
