"""Augmentations of training batches; every random number comes from the generator that is passed."""

from __future__ import annotations

import torch
from torch import Tensor

from search_spaces.task import Target


def augmented(
    images: Tensor, targets: list[Target], reach: int, natural: bool, generator: torch.Generator
) -> tuple[Tensor, list[Target]]:
    """Return the batch shifted and jittered; natural images mirrored at random, others with channels permuted."""
    images, targets = moved(images, targets, reach, natural, generator)
    return jittered(images, not natural, generator), targets


def _mirrored(target: Target, width: int) -> Target:
    if "boxes" not in target:
        return target
    x0, y0, x1, y1 = target["boxes"].unbind(1)
    return {**target, "boxes": torch.stack([width - x1, y0, width - x0, y1], 1)}


def moved(
    images: Tensor, targets: list[Target], reach: int, turning: bool, generator: torch.Generator
) -> tuple[Tensor, list[Target]]:
    """Return the batch (b, c, H, W) moved by up to ``reach`` pixels each way, edges mirrored, boxes clipped.

    Where ``turning`` is set every other image, on average, is mirrored left to right besides. A box that loses more
    than half of its area leaves the targets.
    """
    count, size = len(images), images.shape[-1]
    moves = torch.randint(-reach, reach + 1, (count, 2), generator=generator).tolist()
    turned = (torch.rand(count, generator=generator) < 0.5).tolist() if turning else [False] * count
    # Pixel by pixel as they lie in memory, all at once: every pass over a batch costs as much as the next.
    pixels = images.permute(0, 2, 3, 1).contiguous()
    found = torch.empty_like(pixels)
    for i, (x, y) in enumerate(moves):
        columns = _mirrored_places(size, x)
        rows = pixels[i].index_select(0, _mirrored_places(size, y))
        torch.index_select(rows, 1, columns.flip(0) if turned[i] else columns, out=found[i])
    targets = _moved(targets, moves, size) if "boxes" in targets[0] else targets
    targets = [_mirrored(each, size) if turn else each for each, turn in zip(targets, turned, strict=True)]
    return found.permute(0, 3, 1, 2), targets


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
    gain = 1 + 0.4 * (torch.rand((count, 1, 3), generator=generator) - 0.5)
    offset = 0.2 * (torch.rand((count, 1, 3), generator=generator) - 0.5)
    pixels = images.permute(0, 2, 3, 1).flatten(1, 2)
    # Uniform noise is drawn more quickly than normal noise; 0.07 wide, its standard deviation is 0.02.
    noise = torch.rand(pixels.shape, generator=generator).sub_(0.5)
    noise.mul_(0.07 * torch.rand((count, 1, 1), generator=generator)).add_(offset)
    # Not a product of matrices, for which BLAS takes three times as long.
    colours = pixels.gather(2, order[:, None].expand_as(pixels)) if permute else pixels
    return noise.add_(colours * gain).clamp_(0, 1).unflatten(1, images.shape[2:]).permute(0, 3, 1, 2)
