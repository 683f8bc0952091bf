"""Memory: what must be held at once, for chains, branches, views and what asks for sizes."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torchvision import models

from evaluators.memory import peak_activation_bytes
from search_spaces.chain import chain_of

IMAGE = torch.zeros(1, 4, 8, 8)
BYTES = 4 * IMAGE.numel()


class Branches(nn.Module):
    """Holds its input until the sum."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(4, 4, 1), nn.Conv2d(4, 4, 1)

    def forward(self, image: Tensor) -> Tensor:
        return image + self.second(self.first(image))


class BySize(nn.Module):
    """Asks for a size, which torch.fx cannot follow."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Conv2d(4, 4, 1)

    def forward(self, image: Tensor) -> Tensor:
        return self.layer(image) if image.shape[-1] > 2 else image


@pytest.mark.parametrize(
    ("module", "peak"),
    [
        (nn.Sequential(nn.Conv2d(4, 4, 1), nn.Conv2d(4, 4, 1), nn.Conv2d(4, 4, 1)), 2 * BYTES),
        (nn.Sequential(nn.Conv2d(4, 16, 1), nn.Conv2d(16, 4, 1)), 5 * BYTES),
        (nn.Sequential(nn.Conv2d(4, 4, 1), nn.Flatten()), 2 * BYTES),
        (nn.Sequential(nn.Conv2d(4, 4, 1), nn.ReLU(inplace=True)), 2 * BYTES),
        (Branches(), 3 * BYTES),
        (BySize(), 2 * BYTES),
    ],
)
def test_a_peak_is_of_all_that_is_still_needed(module: nn.Module, peak: int) -> None:
    assert peak_activation_bytes(module.eval(), IMAGE) == peak


def test_windows_of_attention_are_counted() -> None:
    images = torch.zeros(1, 3, 64, 64)
    chain = chain_of(models.swin_t(), images)
    first, second = (peak_activation_bytes(nn.Sequential(*chain.blocks[:cut]).eval(), images) for cut in (1, 2))
    # The first block's queries, keys and values alone are three times its features, which its shortcut holds too.
    assert second >= first + 3 * 4 * 16 * 16 * 96
