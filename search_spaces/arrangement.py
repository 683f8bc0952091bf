"""Arrangement: features of any shape as an image of channels, and back, so that one bottleneck serves them all."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from torch import Tensor

Kind = Literal["image", "channels last", "tokens", "vector"]


@dataclass(frozen=True)
class Arrangement:
    """How features of one sample lie in memory.

    Attributes:
        kind: (c, h, w), (h, w, c), (n, c) or (c).
        channels: c.
        sides: Height and width of the image that they make; tokens make one of width 1.
    """

    kind: Kind
    channels: int
    sides: tuple[int, int]

    @classmethod
    def of(cls, shape: tuple[int, ...]) -> Arrangement:
        """Tell it from a shape; images are square, so equal sides say where the channels are.

        Raises:
            ValueError: a shape of more than three dimensions, or of none.
        """
        if len(shape) == 1:
            return cls("vector", shape[0], (1, 1))
        if len(shape) == 2:
            return cls("tokens", shape[1], (shape[0], 1))
        if len(shape) != 3:
            raise ValueError(f"features of shape {shape} are no image, tokens or vector")
        if shape[0] == shape[1] != shape[2]:
            return cls("channels last", shape[2], (shape[0], shape[1]))
        return cls("image", shape[0], (shape[1], shape[2]))

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one sample's features."""
        shapes: dict[Kind, tuple[int, ...]] = {
            "image": (self.channels, *self.sides),
            "channels last": (*self.sides, self.channels),
            "tokens": (self.sides[0], self.channels),
            "vector": (self.channels,),
        }
        return shapes[self.kind]

    def resized(self, shape: tuple[int, ...]) -> Arrangement:
        """Return how the same features of an image of another size lie.

        Raises:
            ValueError: a shape that differs in more than the sides of an image.
        """
        sides = shape[1:] if self.kind == "image" else shape[:2]
        if self.kind in ("image", "channels last") and len(shape) == 3:
            found = replace(self, sides=(sides[0], sides[1]))
            if found.shape == shape:
                return found
        if shape == self.shape:
            return self
        raise ValueError(f"features of shape {shape} are not {self.shape} in another size")

    def image(self, features: Tensor) -> Tensor:
        """Return features (b, ...) as (b, c, h, w)."""
        if self.kind == "image":
            return features
        if self.kind == "channels last":
            return features.permute(0, 3, 1, 2)
        if self.kind == "tokens":
            return features.transpose(1, 2).unsqueeze(-1)
        return features[:, :, None, None]

    def features(self, image: Tensor) -> Tensor:
        """Return an image (b, c, h, w) as features (b, ...): the inverse of ``image``."""
        if self.kind == "image":
            return image
        if self.kind == "channels last":
            return image.permute(0, 2, 3, 1)
        if self.kind == "tokens":
            return image.squeeze(-1).transpose(1, 2)
        return image.flatten(1)
