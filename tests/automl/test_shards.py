"""Shards: the gradient of the shards' mean loss, the same however the threads are scheduled."""

from __future__ import annotations

import copy
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor, nn
from torchvision.ops import StochasticDepth

from automl import meeting
from automl.shards import FEWEST, Shards, shard_count, twin
from deploy.errors import UserError

torch.set_num_threads(1)
SAMPLES = 3 * FEWEST


@pytest.fixture
def model() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(5, 7), nn.BatchNorm1d(7), nn.ReLU(), nn.Linear(7, 1)).train()


@pytest.fixture
def batch() -> Tensor:
    return torch.randn(SAMPLES, 5, generator=torch.Generator().manual_seed(1))


def _gradients(model: nn.Module, batch: Tensor, threads: int) -> tuple[float, list[Tensor]]:
    shards = Shards(model, SAMPLES, threads)
    loss = shards.backward(lambda each, rows: [each(batch[rows]).square().mean()])
    return loss, [parameter.grad for parameter in shards.parameters]


def test_one_shard_is_a_plain_backward_pass(model: nn.Module, batch: Tensor) -> None:
    plain = copy.deepcopy(model)
    expected = plain(batch).square().mean()
    expected.backward()
    loss, gradients = _gradients(model, batch, threads=1)
    assert loss == float(expected.detach())
    assert all(torch.equal(g, p.grad) for g, p in zip(gradients, plain.parameters(), strict=True))


@pytest.mark.parametrize("threads", (2, 3))
def test_the_gradient_is_the_mean_of_the_shards(model: nn.Module, batch: Tensor, threads: int) -> None:
    plain = copy.deepcopy(model)
    parts = [plain(part).square().mean() for part in batch.chunk(threads)]
    expected = torch.stack(parts).mean()
    expected.backward()
    loss, gradients = _gradients(model, batch, threads)
    assert float(loss) == pytest.approx(float(expected.detach()), rel=1e-6)
    for gradient, parameter in zip(gradients, plain.parameters(), strict=True):
        torch.testing.assert_close(gradient, parameter.grad)


def test_the_same_bits_every_time(model: nn.Module, batch: Tensor) -> None:
    once, *again = [_gradients(copy.deepcopy(model), batch, threads=3) for _ in range(8)]
    for loss, gradients in again:
        assert loss == once[0]
        assert all(torch.equal(a, b) for a, b in zip(gradients, once[1], strict=True))


def test_a_shard_is_never_too_small_for_batch_norms(model: nn.Module, batch: Tensor) -> None:
    sizes: list[int] = []

    def losses(each: nn.Module, rows: slice) -> Iterator[Tensor]:
        sizes.append(len(batch[rows]))
        yield each(batch[rows]).mean()

    Shards(model, SAMPLES, threads=64).backward(losses)
    assert sorted(sizes) == [FEWEST] * 3


@pytest.mark.parametrize(
    "chance", [nn.Dropout(0.5), StochasticDepth(0.1, "row"), nn.MultiheadAttention(4, 2, dropout=0.1)]
)
def test_a_model_that_draws_has_one_shard_because_threads_draw_in_any_order(
    model: nn.Sequential, chance: nn.Module
) -> None:
    assert shard_count(model, SAMPLES, 3) == 3
    assert shard_count(model.append(chance), SAMPLES, 3) == 1


def test_terms_of_a_loss_add_up_and_what_none_of_them_reaches_has_no_gradient(
    model: nn.Module, batch: Tensor
) -> None:
    model.add_module("unused", nn.Linear(2, 2))
    both = Shards(model, SAMPLES, 2)
    loss = both.backward(lambda each, rows: (each[:4](batch[rows]).mean() * k for k in (1.0, 2.0)))
    twice = [parameter.grad for parameter in both.parameters]
    single = both.backward(lambda each, rows: [each[:4](batch[rows]).mean()])
    assert float(loss) == pytest.approx(float(3 * single), rel=1e-5)
    for three, one in zip(twice, [parameter.grad for parameter in both.parameters], strict=True):
        if one is None:
            assert three is None
        else:
            torch.testing.assert_close(three, 3 * one)
    assert twice[-1] is None


def test_gradients_lie_in_memory_as_their_parameters_do() -> None:
    model = nn.Conv2d(6, 4, 2).to(memory_format=torch.channels_last)
    kernel = torch.randn(4, 6, 2, 2)
    shards = Shards(model, SAMPLES, 1)
    shards.backward(lambda each, rows: [(each.weight * kernel).sum()])
    assert model.weight.grad is not None and model.weight.grad.stride() == model.weight.stride() != kernel.stride()
    assert torch.equal(model.weight.grad, kernel)


def test_a_twin_shares_parameters_and_keeps_its_own_statistics(model: nn.Module, batch: Tensor) -> None:
    other = twin(model)
    assert all(a is b for a, b in zip(model.parameters(), other.parameters(), strict=True))
    before = model[1].running_mean.clone()
    other(batch)
    assert torch.equal(model[1].running_mean, before)


def test_what_goes_wrong_in_a_shard_is_raised(model: nn.Module, batch: Tensor) -> None:
    with pytest.raises(RuntimeError, match="shapes"):
        Shards(model, SAMPLES, 2).backward(lambda each, rows: [each(batch[rows, :3]).mean()])


@pytest.mark.parametrize("threads", (2, 3))
def test_with_whole_norms_the_gradient_is_that_of_the_whole_batch(threads: int) -> None:
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(3, 6, 3), nn.BatchNorm2d(6), nn.ReLU(), nn.Conv2d(6, 4, 3), nn.BatchNorm2d(4)
    ).double()
    images, wanted = torch.randn(SAMPLES, 3, 7, 7).double(), torch.randn(SAMPLES, 4, 3, 3).double()
    expected = torch.autograd.grad((model(images) - wanted).square().mean(), list(model.parameters()))
    shards = Shards(model.train(), SAMPLES, threads, whole_norms=True)
    shards.backward(lambda each, rows: [(each(images[rows]) - wanted[rows]).square().mean()])
    for gradient, parameter in zip(expected, shards.parameters, strict=True):
        torch.testing.assert_close(parameter.grad, gradient)


def test_a_shard_that_fails_keeps_the_others_waiting_at_no_norm(model: nn.Module, batch: Tensor) -> None:
    def losses(each: nn.Module, rows: slice) -> list[Tensor]:
        if rows.start:
            raise ArithmeticError("in the second shard")
        return [each(batch[rows]).square().mean()]

    with pytest.raises(ArithmeticError, match="second"):
        Shards(model, SAMPLES, 2, whole_norms=True).backward(losses)


def test_a_loss_that_reaches_a_norm_from_one_shard_alone_is_one_line(
    model: nn.Module, batch: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(meeting, "LONGEST_WAIT", 0.2)

    def losses(each: nn.Module, rows: slice) -> list[Tensor]:
        answer = each(batch[rows])
        return [(answer.detach() if rows.start else answer).square().mean() + each[3].weight.sum()]

    with pytest.raises(UserError, match="does not reach every batch norm"):
        Shards(model, SAMPLES, 2, whole_norms=True).backward(losses)
