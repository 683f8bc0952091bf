"""Placement: where tensors lie. Models and what they are trained on lie on one device; all else lies on the CPU."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from itertools import chain

import torch
from torch import Tensor, nn

from search_spaces.task import Outputs, Target

CPU = torch.device("cpu")


def device_of(module: nn.Module) -> torch.device:
    """Return where a module's tensors lie; the CPU for one that has none."""
    first = next(chain(module.parameters(), module.buffers()), None)
    return CPU if first is None else first.device


def on_cpu(outputs: Iterable[Tensor]) -> Outputs:
    """Return raw outputs on the CPU, where tasks turn them into predictions."""
    return tuple(tensor.cpu() for tensor in outputs)


def brought_back(module: nn.Module) -> nn.Module:
    """Return a module on the CPU: itself, or a copy of one that lies elsewhere."""
    return module if device_of(module) == CPU else copy.deepcopy(module).to(CPU)


def placed(tensor: Tensor, device: torch.device) -> Tensor:
    """Return a batch on a device; the copy goes on beside whatever comes next."""
    if device == CPU:
        return tensor
    # Only memory that stays where it is can be copied beside.
    pinned = tensor.pin_memory() if device.type == "cuda" else tensor
    return pinned.to(device, non_blocking=True)


def placed_targets(targets: Sequence[Target], device: torch.device) -> list[Target]:
    """Return what is on a batch's images on a device."""
    return [{name: value.to(device, non_blocking=True) for name, value in each.items()} for each in targets]


class Constant:
    """A constant that is needed wherever tensors lie; it goes to each device once.

    Args:
        constant: On the CPU.
    """

    def __init__(self, constant: Tensor) -> None:
        self._constant, self._found = constant, {CPU: constant}

    def at(self, tensor: Tensor) -> Tensor:
        """Return the constant where a tensor lies."""
        if tensor.device not in self._found:
            self._found[tensor.device] = self._constant.to(tensor.device)
        return self._found[tensor.device]


def mixed_precision(device: torch.device) -> AbstractContextManager[object]:
    """Return what a training's forward pass runs in: on CUDA bfloat16 where that is enough; losses run outside."""
    return torch.autocast("cuda", torch.bfloat16) if device.type == "cuda" else nullcontext()


def exact(outputs: Iterable[Tensor]) -> Outputs:
    """Return raw outputs as losses take them, whatever precision they were computed in."""
    return tuple(tensor.float() for tensor in outputs)
