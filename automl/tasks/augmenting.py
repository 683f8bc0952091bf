"""Augmenting: how the training images of a task are varied."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from automl.tasks.augment import augmented
from search_spaces.task import Target


class Augmenting:
    """The ``augment`` of a Task."""

    natural: bool = False
    """Whether images are as cameras see them: mirrored they may be, their colours say something."""
    reach: float
    """Share of the image's side by which a training image is shifted at most."""

    if TYPE_CHECKING:

        @property
        def image_size(self) -> int:
            """Side of an image in pixels: a field of some subclasses, a property of others."""

    def augment(
        self, images: Tensor, targets: list[Target], generator: torch.Generator
    ) -> tuple[Tensor, list[Target]]:
        """Return the batch shifted by a few pixels, with its colours, contrast and noise jittered."""
        return augmented(images, targets, round(self.image_size * self.reach), self.natural, generator)
