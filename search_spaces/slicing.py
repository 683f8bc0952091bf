"""Slicing: the same module with fewer units, as a copy of its own or on shared weights."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.func import functional_call

from search_spaces.placement import device_of


class Axis(NamedTuple):
    """How units index a tensor: along ``dim``, each as ``size`` entries in a row."""

    dim: int
    size: int = 1

    def entries(self, units: Tensor) -> Tensor:
        """Return the entries of ``units`` (k,), (k * size,), int64."""
        return (units[:, None] * self.size + torch.arange(self.size, device=units.device)).flatten()


class Kept(NamedTuple):
    """Which entries of a tensor stay: ``entries`` (k,) int64 along ``dim``."""

    dim: int
    entries: Tensor


Slices = Mapping[str, Kept]
"""What stays of each parameter and buffer, by its name in the module; the rest stay whole."""


def along(axes: Mapping[str, Axis], units: Tensor, target: str = "") -> dict[str, Kept]:
    """Return the slices that keep ``units`` of every tensor of ``target`` that units index."""
    start = f"{target}." if target else ""
    return {f"{start}{name}": Kept(axis.dim, axis.entries(units)) for name, axis in axes.items()}


def prefix(count: int, device: torch.device) -> Tensor:
    """Return the first ``count`` units, (count,), int64, on the device of what they are of."""
    return torch.arange(count, device=device)


def sliced(module: nn.Module, slices: Slices) -> nn.Module:
    """Return a copy of ``module`` that physically holds only what ``slices`` keep."""
    slim = copy.deepcopy(module)
    for name, (dim, entries) in slices.items():
        path, _, leaf = name.rpartition(".")
        owner = slim.get_submodule(path)
        kept = getattr(owner, leaf).detach().index_select(dim, entries.to(device_of(slim))).clone()
        setattr(owner, leaf, nn.Parameter(kept) if leaf in owner._parameters else kept)
    _refresh_sizes(slim)
    return slim


def _refresh_sizes(module: nn.Module) -> None:
    for part in module.modules():
        if isinstance(part, nn.Conv2d):
            outputs, inputs = part.weight.shape[:2]
            # Groups stay whole, so fewer outputs are fewer groups; where there is one, outputs may be fewer.
            if part.groups > 1:
                part.groups = outputs * part.groups // part.out_channels
            part.out_channels, part.in_channels = outputs, inputs * part.groups
        elif isinstance(part, nn.BatchNorm2d):
            part.num_features = int(part.weight.shape[0])
        elif isinstance(part, nn.Linear):
            part.out_features, part.in_features = part.weight.shape


class SharedSlice:
    """Runs a module with only what ``slices`` keep, on the module's own weights, so that gradients reach them."""

    def __init__(self, module: nn.Module, slices: Slices) -> None:
        self._module = module
        self._slices = {name: Kept(dim, entries.to(device_of(module))) for name, (dim, entries) in slices.items()}
        self._skeleton = sliced(module, slices).to("meta")

    def __call__(self, *inputs: Any) -> Any:
        """Run the slice; the batch-norm statistics that it gathers are its own and are dropped."""
        self._skeleton.train(self._module.training)
        return functional_call(self._skeleton, self._tensors(), inputs)

    def _tensors(self) -> dict[str, Tensor]:
        tensors: dict[str, Tensor] = dict(self._module.named_parameters())
        # A narrow slice would pollute the statistics of the whole model's batch norms: it gets copies.
        tensors.update({name: buffer.clone() for name, buffer in self._module.named_buffers()})
        for name, (dim, entries) in self._slices.items():
            tensors[name] = tensors[name].index_select(dim, entries)
        return tensors
