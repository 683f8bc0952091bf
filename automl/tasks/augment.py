"""Augmentations of training batches; every random number comes from the generator that is passed."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from search_spaces.task import Target


def shifted(
    images: Tensor, targets: list[Target], reach: int, generator: torch.Generator
) -> tuple[Tensor, list[Target]]:
    """Return the batch (b, c, H, W) moved by up to ``reach`` pixels each way, edges mirrored, boxes clipped.

    A box that loses more than half of its area leaves the targets.
    """
    size = images.shape[-1]
    moves = torch.randint(-reach, reach + 1, (len(images), 2), generator=generator).tolist()
    padded = F.pad(images, (reach,) * 4, mode="reflect")
    crops = [
        padded[i, :, reach - y : reach - y + size, reach - x : reach - x + size] for i, (x, y) in enumerate(moves)
    ]
    moved = torch.stack(crops).contiguous(memory_format=torch.channels_last)
    return moved, [_moved(target, move, size) for target, move in zip(targets, moves, strict=True)]


def _moved(target: Target, move: list[int], size: int) -> Target:
    if "boxes" not in target:
        return target
    boxes = target["boxes"] + torch.tensor(move * 2, dtype=torch.float32)
    clipped = boxes.clamp(0, size)
    keep = _area(clipped) > 0.5 * _area(boxes)
    return {**target, "boxes": clipped[keep], "labels": target["labels"][keep]}


def _area(boxes: Tensor) -> Tensor:
    return (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])


def jittered(images: Tensor, generator: torch.Generator) -> Tensor:
    """Return images (b, 3, H, W) in 0..1 with colour channels permuted, brightness, contrast and noise jittered."""
    count = len(images)
    order = torch.rand((count, 3), generator=generator).argsort(1)
    images = images.gather(1, order[:, :, None, None].expand_as(images))
    gain = 1 + 0.4 * (torch.rand((count, 3, 1, 1), generator=generator) - 0.5)
    offset = 0.2 * (torch.rand((count, 3, 1, 1), generator=generator) - 0.5)
    noise = (
        torch.randn(images.shape, generator=generator) * 0.02 * torch.rand((count, 1, 1, 1), generator=generator)
    )
    return (images * gain + offset + noise).clamp_(0, 1).contiguous(memory_format=torch.channels_last)
