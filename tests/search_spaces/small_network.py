"""A small residual network with two heads, for the laws of the search space."""

from __future__ import annotations

from torch import Tensor, nn
from torchvision.models.resnet import BasicBlock


class TwoHeads(nn.Module):
    """Stem, three residual blocks, two heads on the same features, so that the last cut lies before both."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2))
        self.first = BasicBlock(8, 8)
        project = nn.Sequential(nn.Conv2d(8, 12, 1, 2), nn.BatchNorm2d(12))
        self.second = BasicBlock(8, 12, 2, project)
        self.third = BasicBlock(12, 12)
        self.scores = nn.Conv2d(12, 5, 3, padding=1)
        self.boxes = nn.Conv2d(12, 4, 1)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        features = self.third(self.second(self.first(self.stem(images * 2 - 1))))
        return self.scores(features).flatten(1), self.boxes(features).relu()
