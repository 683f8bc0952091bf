"""Exits: heads beside the chain, gates behind them, and models that answer with and without the cloud."""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from automl.tasks.classification import ClassificationTask
from automl.tasks.detection import DetectionTask
from automl.tasks.splits import Counts
from evaluators.flops import flops
from evaluators.memory import peak_activation_bytes
from search_spaces.chain import chain_of
from search_spaces.config import Config
from search_spaces.space import SearchSpace, default_space
from search_spaces.supernet import BottleneckOptions, Supernet
from search_spaces.task import Task

COUNTS = Counts(8, 4, 4)
TASKS = (DetectionTask(counts=COUNTS), ClassificationTask(counts=COUNTS))
IMAGE = {"image_format": "webp", "image_quality": 50}


@pytest.fixture(scope="module", params=TASKS, ids=lambda task: task.name)
def task(request: pytest.FixtureRequest) -> Task:
    torch.set_num_threads(1)
    return request.param


@pytest.fixture(scope="module")
def images(task: Task) -> Tensor:
    return task.data("train").batch(range(4))[0]


@pytest.fixture(scope="module")
def supernet(task: Task, images: Tensor) -> Supernet:
    return Supernet(chain_of(task.cloud_model(), images[:1]), BottleneckOptions(4, (1,)), exits=task).eval()


@pytest.fixture(scope="module")
def space(task: Task, supernet: Supernet) -> SearchSpace:
    return default_space(supernet.layout, task.image_size).narrowed({"width": [4], "stride": [1]})


def gated(space: SearchSpace, split: int, payload: str) -> Config:
    return space.config({"split": split, "offload": 0.5, "payload": payload, "edge_modules.stage1": 2, **IMAGE})


def test_every_exit_gives_raw_outputs_of_the_models_own_kind(supernet: Supernet, images: Tensor) -> None:
    trace = supernet.trace(images, supernet.cloud_config())
    assert sorted(trace.beside) == sorted(map(int, supernet.heads)) == list(range(1, supernet.layout.splits))
    for outputs in trace.beside.values():
        assert [each.shape for each in outputs] == [each.shape for each in trace.outputs]


def test_a_copy_of_a_derived_model_shares_the_complete_cloud_model(supernet: Supernet, space: SearchSpace) -> None:
    model = supernet.derive(gated(space, 3, "image"))
    assert model.whole is not None
    assert copy.deepcopy(model).whole is model.whole
    assert not any("whole" in name for name in model.state_dict())


def test_heads_learn_and_leave_the_features_to_the_cloud(supernet: Supernet, images: Tensor) -> None:
    trace = supernet.trace(images, supernet.cloud_config())
    loss = sum(outputs[0].square().mean() for outputs in trace.beside.values())
    assert isinstance(loss, Tensor)
    heads, trunk = [*supernet.heads.parameters()], [*supernet.chain.parameters()]
    gradients = torch.autograd.grad(loss, [*heads, *trunk], allow_unused=True)
    assert all(gradient is None for gradient in gradients[len(heads) :])
    assert any(gradient is not None and gradient.abs().sum() > 0 for gradient in gradients[: len(heads)])


def test_with_exits_the_trunk_is_what_it_is_without(task: Task, supernet: Supernet, images: Tensor) -> None:
    assert Supernet(chain_of(task.cloud_model(), images[:1]), BottleneckOptions(4, (1,))).layout.exits == ()
    trace = supernet.trace(images, supernet.cloud_config())
    for ours, theirs in zip(trace.outputs, task.cloud_model().eval()(images), strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=0)


@pytest.mark.parametrize("payload", ["features", "image", "dynamic"])
def test_a_gated_model_gives_what_its_payload_needs(
    supernet: Supernet, space: SearchSpace, images: Tensor, payload: str
) -> None:
    derived = supernet.derive(gated(space, 4, payload)).eval()
    assert derived.edge is not None
    with torch.no_grad():
        crossed = derived.crossed(derived.edge(images))
    assert crossed.scores is not None
    assert crossed.scores.shape == (4, 2 if payload == "dynamic" else 1)
    assert ((crossed.scores >= 0) & (crossed.scores <= 1)).all()
    assert len(crossed.outputs) == len(supernet.trace(images, supernet.cloud_config()).outputs)
    assert (len(crossed.symbols) == 1) == (derived.cloud is not None) == (payload != "image")
    assert (derived.whole is None) == (payload == "features")


def test_behind_the_gate_the_cloud_answers_as_it_does_without(
    supernet: Supernet, space: SearchSpace, images: Tensor
) -> None:
    config = gated(space, 3, "features")
    plain = space.canonical(replace(config, offload=1.0))
    with torch.no_grad():
        ours, theirs = supernet.derive(config).eval()(images), supernet.derive(plain).eval()(images)
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other)


def test_at_the_last_split_point_the_model_itself_answers(
    supernet: Supernet, space: SearchSpace, images: Tensor
) -> None:
    config = gated(space, supernet.layout.splits, "image")
    plain = space.config({"split": config.split, "edge_modules.stage1": 2})
    with torch.no_grad():
        ours, theirs = supernet.derive(config).eval()(images), supernet.derive(plain).eval()(images)
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize(
    ("split", "payload"), [(3, "features"), (4, "dynamic"), (5, "image"), (7, "image"), (8, "image")]
)
def test_with_a_smaller_image_heads_and_gates_read_what_they_always_do(
    supernet: Supernet, space: SearchSpace, images: Tensor, split: int, payload: str
) -> None:
    side = images.shape[-1] // 16 * 8
    config = replace(gated(space, split, payload), resolution=side)
    # A supernet is taught as if every sample were sent.
    taught = replace(gated(space, split, "features"), resolution=side)
    derived = supernet.derive(config).eval()
    assert derived.edge is not None and derived.answering is not None
    with torch.no_grad():
        shared, trained = supernet.trace(images, taught), derived.trace(images)
        crossed = derived.crossed(derived.edge(images))
    head = shared.outputs if split == supernet.layout.splits else shared.beside[split]
    for own, theirs in zip(crossed.outputs, head, strict=True):
        torch.testing.assert_close(own, theirs, atol=1e-4, rtol=1e-4)
    for own, theirs in zip(trained.outputs, shared.outputs if payload != "image" else head, strict=True):
        torch.testing.assert_close(own, theirs, atol=1e-4, rtol=1e-4)
    assert trained.taps.keys() == set(derived.tap_points)
    assert crossed.scores is not None and crossed.scores.shape[1] == (2 if payload == "dynamic" else 1)


def test_exit_and_gate_are_counted(supernet: Supernet, space: SearchSpace, images: Tensor) -> None:
    config = gated(space, 3, "features")
    derived = supernet.derive(config).eval()
    assert derived.edge is not None and derived.answering is not None
    bare = copy.deepcopy(derived.edge)
    bare.answering = None
    with torch.no_grad():
        features = derived.edge.blocks(images[:1])
    whole, plain = flops(derived.edge.eval(), images[:1]), flops(bare.eval(), images[:1])
    assert whole - plain == flops(derived.answering.eval(), features) > 0
    assert peak_activation_bytes(derived.edge, images[:1]) >= peak_activation_bytes(bare, images[:1])


def test_a_copy_shares_what_reads_the_outputs(supernet: Supernet, space: SearchSpace) -> None:
    answering = supernet.derive(gated(space, 3, "features")).answering
    assert answering is not None
    assert copy.deepcopy(answering).confidence is answering.confidence
