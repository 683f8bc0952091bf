r"""Shards: the parts of a training batch, side by side on threads of their own or in processes.

```
batch --> shard 0 --> model --> loss --> gradients --\
      \-> shard 1 --> twin  --> loss --> gradients ---+--> mean, in the shards' order --> parameter.grad
```

Batch norms see the statistics of a shard, as in data-parallel training (Goyal et al. 2017, arXiv 1706.02677), or of
the whole batch (``shared_norm``).
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from threading import BrokenBarrierError
from typing import Generic, TypeVar

import torch
from torch import Tensor, nn
from torch.nn.modules.dropout import _DropoutNd
from torchvision.ops import StochasticDepth

from automl.meeting import Meeting, ThreadMeeting
from automl.peers import Peers
from automl.shared_norm import share_norms
from deploy.errors import UserError
from evaluators.side_by_side import side_by_side
from search_spaces.placement import CPU, device_of

FEWEST = 8
"""Samples that a shard has at least: batch norms need that many."""

_APART = UserError(
    "the loss of a part of a batch does not reach every batch norm, so its parts cannot be trained side by side: "
    "use --workers 1 --threads 1"
)

Model = TypeVar("Model", bound=nn.Module)
Gradients = list[Tensor | None]


class Shards(Generic[Model]):
    """Takes a model's gradients over a batch's shards; deterministic, however the threads are scheduled.

    Args:
        model: In training mode. The other shards run twins that share its parameters and keep buffers of their own,
            so running statistics are those of the first shard.
        samples: Samples of every batch.
        threads: Threads in all.
        whole_norms: Give batch norms the whole batch's statistics; where there are shards, the running statistics
            are then left as they are.
        peers: Processes that have the other shards, ``shard_count`` with this one; where None,
            this process has all of them.
    """

    def __init__(
        self, model: Model, samples: int, threads: int, whole_norms: bool = False, peers: Peers | None = None
    ) -> None:
        self.parameters = [p for p in model.parameters() if p.requires_grad]
        self._device = device_of(model)
        count = shard_count(model, samples, threads)
        cuts = [samples * i // count for i in range(count + 1)]
        rows = [slice(start, stop) for start, stop in pairwise(cuts)]
        mine = range(count) if peers is None else [peers.rank]
        self._rows = [rows[shard] for shard in mine]
        self._peers = peers
        self._meeting = (peers or ThreadMeeting(count)) if whole_norms and count > 1 else None
        if self._meeting is None:
            self._models = [model, *(twin(model) for _ in mine[1:])]
        else:
            self._models = [_with_shared_norms(twin(model), self._meeting, shard) for shard in mine]
        self._pool = side_by_side(len(mine), threads * len(mine) // count)

    def backward(self, losses: Callable[[Model, slice], Iterable[Tensor]]) -> Tensor:
        """Leave in every parameter's ``grad`` the gradient of the shards' mean loss, which is returned.

        Args:
            losses: Gives the terms of a shard's loss, from the model that runs it and the rows of the batch that it
                is; one by one, so that one graph at a time is held.
        """
        done = self._done(losses)
        if self._peers is not None:
            done = self._exchanged(self._peers, *done[0])
        share = 1 / len(done)
        for i, parameter in enumerate(self.parameters):
            gradient = _sum([gradients[i] for _, gradients in done])
            # Laid out as the parameter: torch's fused optimisers take element by element as they lie in memory.
            parameter.grad = (
                None if gradient is None else torch.mul(gradient, share, out=torch.empty_like(parameter))
            )
        return share * torch.stack([loss for loss, _ in done]).sum()

    def _exchanged(self, peers: Peers, loss: Tensor, gradients: Gradients) -> list[tuple[Tensor, Gradients]]:
        there = torch.tensor([float(gradient is not None) for gradient in gradients])
        pairs = zip(gradients, self.parameters, strict=True)
        full = [torch.zeros_like(p) if gradient is None else gradient for gradient, p in pairs]
        every = peers.exchanged(float(loss), [there, *full], [there, *self.parameters])
        return [(torch.tensor(figure), _known(mask, rest)) for figure, (mask, *rest) in every]

    def _done(self, losses: Callable[[Model, slice], Iterable[Tensor]]) -> list[tuple[Tensor, Gradients]]:
        try:
            shards = [
                self._pool.submit(self._shard, losses, model, rows)
                for model, rows in zip(self._models, self._rows, strict=True)
            ]
            errors = [error for shard in shards if (error := shard.exception())]
        except BaseException:
            self._fail()
            raise
        if errors:
            raise next((error for error in errors if not isinstance(error, BrokenBarrierError)), _APART)
        return [shard.result() for shard in shards]

    def _shard(
        self, losses: Callable[[Model, slice], Iterable[Tensor]], model: Model, rows: slice
    ) -> tuple[Tensor, Gradients]:
        try:
            return self._gradients(losses(model, rows))
        except BaseException:
            self._fail()
            raise

    def _fail(self) -> None:
        if self._meeting is not None:
            self._meeting.fail()

    def _gradients(self, losses: Iterable[Tensor]) -> tuple[Tensor, Gradients]:
        total = torch.zeros((), device=self._device)
        sums: Gradients = [None] * len(self.parameters)
        for loss in losses:
            gradients = torch.autograd.grad(loss, self.parameters, allow_unused=True)
            sums = [_sum(pair) for pair in zip(sums, gradients, strict=True)]
            total = total + loss.detach()
        return total, sums


def shard_count(model: nn.Module, samples: int, threads: int) -> int:
    """Return how many shards a model's batch has on so many threads.

    A model that draws at random, as dropout does, has one: in what order threads draw is chance. One on an
    accelerator has one as well: the batch is what keeps it busy.
    """
    if device_of(model) != CPU or any(map(_draws, model.modules())):
        return 1
    return max(1, min(threads, samples // FEWEST))


def _draws(module: nn.Module) -> bool:
    if isinstance(module, nn.MultiheadAttention):
        return module.dropout > 0
    return isinstance(module, (_DropoutNd, StochasticDepth)) and module.p > 0


def twin(model: Model) -> Model:
    """Return a copy that shares the model's parameters and has buffers of its own."""
    return copy.deepcopy(model, {id(parameter): parameter for parameter in model.parameters()})


def _with_shared_norms(model: Model, meeting: Meeting, shard: int) -> Model:
    share_norms(model, meeting, shard)
    return model


def _known(mask: Tensor, gradients: Sequence[Tensor]) -> Gradients:
    """Return gradients, None in the place of those that are none."""
    return [gradient if known else None for gradient, known in zip(gradients, mask.tolist(), strict=True)]


def _sum(tensors: Iterable[Tensor | None]) -> Tensor | None:
    there = [tensor for tensor in tensors if tensor is not None]
    return sum(there[1:], start=there[0]) if there else None
