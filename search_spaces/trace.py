"""Trace: a training pass through blocks and a bottleneck, with what the losses compare."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from search_spaces.quantiser import Quantised
from search_spaces.task import Outputs


@dataclass(frozen=True)
class Trace:
    """What a training pass leaves for the losses.

    Attributes:
        outputs: Raw outputs.
        taps: Activations to compare with the cloud model's, by the number of blocks that come before them.
        quantised: The quantised latent, where one is sent.
    """

    outputs: Outputs
    taps: dict[int, Tensor]
    quantised: Quantised | None


@dataclass(frozen=True)
class Crossing:
    """What features go through between edge and cloud while they are trained."""

    encoder: Callable[[Tensor], Tensor]
    quantiser: Callable[[Tensor], Quantised]
    decoder: Callable[[Tensor], Tensor]


def run(
    images: Tensor,
    edge: Sequence[Callable[[Any], Any]],
    crossing: Crossing | None,
    cloud: Sequence[Callable[[Any], Any]],
) -> Trace:
    """Run images (b, 3, H, W) through the edge's blocks, the crossing and the cloud's blocks.

    Taps are the features that the cloud gets and the features that the last block reads.
    """
    value: Any = images
    taps: dict[int, Tensor] = {}
    quantised = None
    last = len(edge) + len(cloud) - 1
    for i, block in enumerate([*edge, *cloud]):
        if crossing is not None and i == len(edge):
            quantised = crossing.quantiser(crossing.encoder(value))
            taps[i] = value = crossing.decoder(quantised.values)
        if i == last:
            taps[i] = value
        value = block(value)
    return Trace(value if isinstance(value, tuple) else (value,), taps, quantised)
