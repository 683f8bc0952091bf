"""Payload: what crosses a cut: one tensor, or a tuple of them where several cross."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from torch import Tensor, nn

Payload = Tensor | tuple[Tensor, ...]


def tensors_of(payload: Payload) -> tuple[Tensor, ...]:
    """Return the tensors of a payload; raw outputs are taken likewise."""
    return payload if isinstance(payload, tuple) else (payload,)


def payload_of(tensors: Iterable[Tensor]) -> Payload:
    """Return the payload that consists of tensors: the inverse of ``tensors_of``."""
    every = tuple(tensors)
    return every[0] if len(every) == 1 else every


class Each(nn.ModuleList):
    """A module of its own for each tensor of a payload."""

    def forward(self, payload: Payload) -> Payload:
        """Return what each module makes of its tensor."""
        return payload_of(part(tensor) for part, tensor in zip(self, tensors_of(payload), strict=True))


def each(parts: Sequence[nn.Module]) -> nn.Module:
    """Return one module that takes a payload: the only part itself where one tensor crosses."""
    return parts[0] if len(parts) == 1 else Each(parts)


def parts_of(module: nn.Module | None) -> list[nn.Module]:
    """Return what ``each`` was made of; nothing of None."""
    if module is None:
        return []
    return list(module) if isinstance(module, Each) else [module]
