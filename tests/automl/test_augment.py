"""Augmentation: images move with their boxes, what comes in from outside is the mirrored edge."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from automl.tasks.augment import jittered, moved


def generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@given(st.integers(0, 99), st.integers(9, 24), st.booleans(), st.booleans())
def test_a_moved_image_is_its_mirrored_surroundings_cropped(
    seed: int, size: int, channels_last: bool, turn: bool
) -> None:
    reach = size // 3
    layout = torch.channels_last if channels_last else torch.contiguous_format
    images = torch.rand(3, 3, size, size, generator=generator(seed)).contiguous(memory_format=layout)
    found, _ = moved(images, [{"label": torch.tensor(0)}] * 3, reach, turn, generator(seed))
    same = generator(seed)
    moves = torch.randint(-reach, reach + 1, (3, 2), generator=same).tolist()
    turned = torch.rand(3, generator=same) < 0.5
    around = F.pad(images, (reach,) * 4, mode="reflect")
    for i, (x, y) in enumerate(moves):
        seen = around[i, :, reach - y : reach - y + size, reach - x : reach - x + size]
        assert torch.equal(found[i], seen.flip(-1) if turn and turned[i] else seen)


def test_boxes_move_along() -> None:
    images = torch.zeros(1, 3, 16, 16)
    images[0, :, 6:9, 5:11] = 1
    box = {"boxes": torch.tensor([[5.0, 6.0, 11.0, 9.0]]), "labels": torch.tensor([0])}
    for seed in range(8):
        found, (target,) = moved(images, [box], 4, True, generator(seed))
        x0, y0, x1, y1 = target["boxes"][0].int().tolist()
        inside = torch.zeros(16, 16)
        inside[y0:y1, x0:x1] = 1
        assert torch.equal(found[0, 0], inside)


@pytest.mark.parametrize("permute", [False, True])
def test_jittered_pixels_stay_in_range_and_near(permute: bool) -> None:
    images = torch.rand(4, 3, 16, 16, generator=generator(0))
    found = jittered(images, permute, generator(1))
    assert found.shape == images.shape and found.min() >= 0 and found.max() <= 1
    # Up to a fifth brighter or darker, moved by a tenth, and noise.
    grey = images.mean(1), found.mean(1)
    assert (grey[0] - grey[1]).abs().max() < 0.4
    same = (images - found).abs().mean(dim=(1, 2, 3))
    assert (same < 0.2).all() != permute
