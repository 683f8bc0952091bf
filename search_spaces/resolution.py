"""Resolution: the edge may see a smaller image; its features are brought back to the size that later blocks expect.

```
image --reduction--> edge's blocks --> encoder --> symbols, of a smaller grid as well
symbols --> decoder, which brings features back --> cloud's blocks
```
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from deploy.errors import first_line
from search_spaces.arrangement import Arrangement
from search_spaces.chain import Chain
from search_spaces.payload import each, tensors_of
from search_spaces.placement import device_of

PARTS = (4, 5, 6, 7)
"""Sides on offer beside the whole one, in eighths of it."""
STEP = 8
"""What a smaller image's side is a multiple of."""

Arrangements = tuple[Arrangement, ...]
Block = Callable[[Any], Any]


def resized(image: Tensor, sides: tuple[int, int]) -> Tensor:
    """Return an image (b, c, h, w) in another size, by bilinear interpolation: half a side is plain averaging."""
    return functional.interpolate(image, sides, mode="bilinear", align_corners=False)


class Reduction(nn.Module):
    """The edge's first operation where it sees a smaller image.

    Args:
        side: The smaller image's, in pixels.
    """

    def __init__(self, side: int) -> None:
        super().__init__()
        self.side = side

    def forward(self, images: Tensor) -> Tensor:
        """Return images (b, 3, side, side) of images (b, 3, H, W)."""
        return resized(images, (self.side, self.side))


def reduction(side: int) -> Reduction | None:
    """Return what gives the edge its image; None where it sees all of it, for which ``side`` is 0."""
    return Reduction(side) if side else None


class Restoration(nn.Module):
    """Features of a smaller image in the size of those of the whole one.

    Args:
        arrangement: How those of the whole one lie.
    """

    def __init__(self, arrangement: Arrangement) -> None:
        super().__init__()
        self.arrangement = arrangement

    def forward(self, features: Tensor) -> Tensor:
        """Return features (b, ...) of the whole image's size."""
        image = resized(self.arrangement.image(features), self.arrangement.sides)
        return self.arrangement.features(image)


def restoration(found: Sequence[Arrangement], expected: Sequence[Arrangement]) -> nn.Module:
    """Return what brings a payload back, tensor by tensor.

    Args:
        found: How each tensor of a smaller image lies.
        expected: How each of the whole one does.
    """
    pairs = zip(found, expected, strict=True)
    return each([nn.Identity() if ours == theirs else Restoration(theirs) for ours, theirs in pairs])


@torch.no_grad()
def arrangements_at(chain: Chain, side: int) -> tuple[Arrangements, ...]:
    """Return how what crosses each cut lies where the image has another side.

    Raises:
        Exception: whatever a block raises that does not take it.
        ValueError: features that cannot be brought back to their size.
    """
    value, found = torch.zeros(1, 3, side, side, device=device_of(chain)), []
    for block, shapes in zip(chain.blocks, chain.crossing, strict=False):
        value = block(value)
        pairs = zip(shapes, tensors_of(value), strict=True)
        found.append(tuple(Arrangement.of(shape).resized(tuple(tensor.shape[1:])) for shape, tensor in pairs))
    return tuple(found)


class Sizes:
    """How what crosses a chain's cuts lies on an edge that sees an image of any side; 0 is the whole one.

    Args:
        chain: In eval mode whenever a side is asked for.
    """

    def __init__(self, chain: Chain) -> None:
        self._chain = chain
        self._found = {0: tuple(tuple(map(Arrangement.of, shapes)) for shapes in chain.crossing)}

    def at(self, split: int, side: int) -> Arrangements:
        """Return how the tensors that cross a cut lie; a side is tried but once."""
        if side not in self._found:
            self._found[side] = arrangements_at(self._chain, side)
        return self._found[side][split - 1]

    def back(self, split: int, side: int) -> nn.Module:
        """Return what brings the payload of a cut back to the whole image's size."""
        return restoration(self.at(split, side), self.at(split, 0))

    def whole_for_last(self, blocks: Sequence[Block], side: int) -> list[Block]:
        """Return a chain's blocks, where what the last one reads is brought back."""
        *rest, before, last = blocks
        back = self.back(len(rest) + 1, side)
        return [*rest, nn.Sequential(before, back) if isinstance(before, nn.Module) else _both(before, back), last]


@dataclass(frozen=True)
class Resolutions:
    """The sides that the edge's image may have.

    Attributes:
        sides: Rising, the whole one last; none where there is no other.
        reason: Why there is no other.
    """

    sides: tuple[int, ...]
    reason: str = ""


def resolutions_of(chain: Chain, image_size: int) -> Resolutions:
    """Return the sides at which every block but the last runs, by trying.

    Args:
        chain: In eval mode.
        image_size: Side of the model's input in pixels.
    """
    sides, reason = [], f"{image_size} x {image_size} pixels leave no smaller image"
    for side in sorted({round(image_size * part / 8 / STEP) * STEP for part in PARTS}):
        if 0 < side < image_size:
            try:
                arrangements_at(chain, side)
                sides.append(side)
            except Exception as error:  # blocks raise whatever they raise
                reason = f"it does not run at {side} x {side} pixels ({_reason(error)})"
    return Resolutions((*sides, image_size)) if sides else Resolutions((), reason)


def _both(first: Block, second: Block) -> Block:
    return lambda value: second(first(value))


def _reason(error: Exception) -> str:
    # A message that was put together while the model was traced knew no numbers yet.
    return re.sub(r"Proxy\(\w+\)", "another", first_line(error))
