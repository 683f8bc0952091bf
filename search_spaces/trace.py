"""Trace: a training pass through blocks and a bottleneck, with what the losses compare."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from torch import Tensor

from search_spaces.payload import payload_of, tensors_of
from search_spaces.placement import exact, mixed_precision
from search_spaces.quantiser import Quantised
from search_spaces.task import Outputs

Taps = dict[int, tuple[Tensor, ...]]
"""Activations by the number of blocks that come before them; several tensors where several cross."""


@dataclass(frozen=True)
class Trace:
    """What a training pass leaves for the losses.

    Attributes:
        outputs: Raw outputs.
        taps: Activations to compare with the cloud model's.
        quantised: The quantised latent of each tensor that is sent; nothing where none is.
        beside: Raw outputs of exit heads that answer as well, by their split points.
    """

    outputs: Outputs
    taps: Taps
    quantised: tuple[Quantised, ...]
    beside: Mapping[int, Outputs] = field(default_factory=dict)


@dataclass(frozen=True)
class Crossing:
    """What one tensor goes through between edge and cloud while it is trained."""

    encoder: Callable[[Tensor], Tensor]
    quantiser: Callable[[Tensor], Quantised]
    decoder: Callable[[Tensor], Tensor]


def run(
    images: Tensor,
    edge: Sequence[Callable[[Any], Any]],
    crossings: Sequence[Crossing],
    cloud: Sequence[Callable[[Any], Any]],
    heads: Mapping[int, Callable[[Any], Any]] = MappingProxyType({}),
) -> Trace:
    """Run images (b, 3, H, W) through the edge's blocks, the crossings of what is sent and the cloud's blocks.

    Taps are the features that the cloud gets and the features that the last block reads. Exit heads read what
    crosses their split points, before any bottleneck.
    """
    with mixed_precision(images.device):
        beside: dict[int, Outputs] = {}
        value: Any = images
        taps: Taps = {}
        quantised: tuple[Quantised, ...] = ()
        last = len(edge) + len(cloud) - 1
        for i, block in enumerate([*edge, *cloud]):
            if i in heads:
                beside[i] = exact(tensors_of(heads[i](value)))
            if crossings and i == len(edge):
                sent = zip(crossings, tensors_of(value), strict=True)
                quantised = tuple(crossing.quantiser(crossing.encoder(tensor)) for crossing, tensor in sent)
                arrived = zip(crossings, quantised, strict=True)
                value = payload_of(crossing.decoder(latent.values) for crossing, latent in arrived)
                taps[i] = exact(tensors_of(value))
            if i == last:
                taps[i] = exact(tensors_of(value))
            value = block(value)
    return Trace(exact(tensors_of(value)), taps, quantised, beside)
