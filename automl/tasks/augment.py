"""Augmentations of training batches; every random number comes from the generator that is passed."""

from __future__ import annotations

import torch
from torch import Tensor

from search_spaces.task import Target


def augmented(
    images: Tensor, targets: list[Target], reach: int, natural: bool, generator: torch.Generator
) -> tuple[Tensor, list[Target]]:
    """Return the batch shifted and jittered; natural images mirrored at random, others with channels permuted."""
    images, targets = shifted(images, targets, reach, generator)
    if natural:
        images, targets = mirrored(images, targets, generator)
    return jittered(images, not natural, generator), targets


def mirrored(images: Tensor, targets: list[Target], generator: torch.Generator) -> tuple[Tensor, list[Target]]:
    """Return the batch (b, c, H, W) with every other image, on average, mirrored left to right."""
    chosen = torch.rand(len(images), generator=generator) < 0.5
    images = torch.where(chosen[:, None, None, None], images.flip(-1), images)
    width = images.shape[-1]
    return images, [_mirrored(each, width) if turn else each for each, turn in zip(targets, chosen, strict=True)]


def _mirrored(target: Target, width: int) -> Target:
    if "boxes" not in target:
        return target
    x0, y0, x1, y1 = target["boxes"].unbind(1)
    return {**target, "boxes": torch.stack([width - x1, y0, width - x0, y1], 1)}


def shifted(
    images: Tensor, targets: list[Target], reach: int, generator: torch.Generator
) -> tuple[Tensor, list[Target]]:
    """Return the batch (b, c, H, W) moved by up to ``reach`` pixels each way, edges mirrored, boxes clipped.

    A box that loses more than half of its area leaves the targets.
    """
    size = images.shape[-1]
    moves = torch.randint(-reach, reach + 1, (len(images), 2), generator=generator).tolist()
    # Pixel by pixel as they lie in memory, which is several times quicker than to pad all and to crop.
    pixels = images.permute(0, 2, 3, 1).contiguous()
    moved = torch.empty_like(pixels)
    for i, (x, y) in enumerate(moves):
        rows = pixels[i].index_select(0, _mirrored_places(size, y))
        torch.index_select(rows, 1, _mirrored_places(size, x), out=moved[i])
    return moved.permute(0, 3, 1, 2), _moved(targets, moves, size) if "boxes" in targets[0] else targets


def _mirrored_places(size: int, move: int) -> Tensor:
    """Return where each place of a side of ``size`` pixels comes from, (size,); what was outside is mirrored."""
    places = (torch.arange(size) - move).abs()
    return torch.where(places < size, places, 2 * (size - 1) - places)


def _moved(targets: list[Target], moves: list[list[int]], size: int) -> list[Target]:
    counts = [len(target["boxes"]) for target in targets]
    offsets = torch.tensor([move * 2 for move in moves], dtype=torch.float32)
    boxes = torch.cat([target["boxes"] for target in targets]) + offsets.repeat_interleave(torch.tensor(counts), 0)
    clipped = boxes.clamp(0, size)
    keep = _area(clipped) > 0.5 * _area(boxes)
    kept = zip(targets, clipped.split(counts), keep.split(counts), strict=True)
    return [{**target, "boxes": box[mine], "labels": target["labels"][mine]} for target, box, mine in kept]


def _area(boxes: Tensor) -> Tensor:
    return (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])


def jittered(images: Tensor, permute: bool, generator: torch.Generator) -> Tensor:
    """Return images (b, 3, H, W) in 0..1 with brightness, contrast and noise jittered, and colours permuted."""
    count = len(images)
    order = torch.rand((count, 3), generator=generator).argsort(1)
    order = order if permute else torch.arange(3).expand(count, 3)
    gain = 1 + 0.4 * (torch.rand((count, 3, 1), generator=generator) - 0.5)
    offset = 0.2 * (torch.rand((count, 1, 3), generator=generator) - 0.5)
    pixels = images.permute(0, 2, 3, 1).flatten(1, 2)
    # Uniform noise is drawn more quickly than normal noise; 0.07 wide, its standard deviation is 0.02.
    noise = torch.rand(pixels.shape, generator=generator).sub_(0.5)
    noise.mul_(0.07 * torch.rand((count, 1, 1), generator=generator)).add_(offset)
    mixed = torch.baddbmm(noise, pixels, (torch.eye(3)[order] * gain).transpose(1, 2)).clamp_(0, 1)
    return mixed.unflatten(1, images.shape[2:]).permute(0, 3, 1, 2)
