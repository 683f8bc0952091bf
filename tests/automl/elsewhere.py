"""A device that is none: its tensors lie on the CPU and are computed there, but what would fail on a GPU fails.

Tensors of two devices in one operation are refused, and whatever waits is counted: a program that runs here
to the same figures as on the CPU has every tensor where a GPU needs it.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_map
from torch.utils.backend_registration import _setup_privateuseone_for_python_backend

NAME = "elsewhere"
READING = ("aten::_local_scalar_dense", "aten::nonzero", "aten::equal")
"""What waits for the device, because the CPU needs its answer."""
INDEXED = "aten::index"
"""A tensor on a device may be indexed by one on the CPU."""
COMPOSITE = ("CompositeExplicitAutograd", "CompositeExplicitAutogradNonFunctional")

reads: list[str] = []
"""What the CPU waited for, by operation; a test clears it."""


class Elsewhere(Tensor):
    """A tensor of the device; ``raw`` is where its numbers are."""

    __torch_function__ = torch._C._disabled_torch_function_impl

    @staticmethod
    def __new__(cls, raw: Tensor) -> Elsewhere:
        made = torch.Tensor._make_wrapper_subclass(  # type: ignore[attr-defined]
            cls, raw.size(), raw.stride(), raw.storage_offset(), dtype=raw.dtype, device=f"{NAME}:0"
        )
        made.raw = raw
        return made

    def __init__(self, raw: Tensor) -> None:
        self.raw = raw

    @classmethod
    def __torch_dispatch__(cls, operation: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _run(operation, *args, **(kwargs or {}))


def _run(operation: Any, *args: Any, **kwargs: Any) -> Any:
    name = operation.name().split(".")[0]
    known: dict[int, Tensor] = {}
    strangers: list[Tensor] = []

    def raw(value: Any) -> Any:
        if isinstance(value, Elsewhere):
            known[id(value.raw)] = value
            return value.raw
        if isinstance(value, Tensor) and value.dim() > 0:
            strangers.append(value)
        return value

    def back(value: Any) -> Any:
        if not isinstance(value, Tensor):
            return value
        return known[id(value)] if id(value) in known else Elsewhere(value)

    inner, named = tree_map(raw, (args, kwargs))
    if _waits(name, strangers, inner, named):
        reads.append(name)
    if name == "aten::copy_":
        return _copied(args, inner)
    if strangers and name not in (INDEXED, "aten::_to_copy"):
        raise RuntimeError(f"{name}: tensors of two devices")
    wanted = named.get("device")
    named |= {key: value for key, value in (("device", "cpu"), ("pin_memory", False)) if key in named}
    out = operation(*inner, **named)
    if name == "aten::_to_copy" and wanted is not None and torch.device(wanted).type == "cpu":
        reads.append(name)
        return out
    return tree_map(back, out)


def _waits(name: str, strangers: list[Tensor], inner: Any, named: Any) -> bool:
    """Return whether the CPU waits for the device: it reads, counts what a mask leaves, or copies and stays."""
    masked = name == INDEXED and any(i is not None and i.dtype in (torch.bool, torch.uint8) for i in inner[1])
    sent = name == "aten::_to_copy" and bool(strangers) and not named.get("non_blocking")
    return name in READING or masked or sent


def _copied(args: Any, inner: Any) -> Any:
    inner[0].copy_(inner[1])
    if not isinstance(args[0], Elsewhere):
        reads.append("aten::copy_")
    return args[0]


def _register() -> list[torch.library.Library]:
    _setup_privateuseone_for_python_backend(NAME)
    everything, composite = torch.library.Library("_", "IMPL"), torch.library.Library("aten", "IMPL")
    everything.fallback(_run, "PrivateUse1")
    for name in torch._C._dispatch_get_all_op_names():
        if name.startswith("aten::") and any(_has_kernel(name, key) for key in COMPOSITE):
            base, _, overload = name.removeprefix("aten::").partition(".")
            found = getattr(getattr(torch.ops.aten, base, None), overload or "default", None)
            if found is not None:
                composite.impl(name, partial(_run, found), "PrivateUse1")
    return [everything, composite]


def _has_kernel(name: str, key: str) -> bool:
    return bool(torch._C._dispatch_has_kernel_for_dispatch_key(name, key))


LIBRARIES = _register()
"""They hold for as long as they are referred to."""
