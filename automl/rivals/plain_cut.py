"""Plain cut: the cloud model cut as it is, its features rounded to 8 bits and compressed by Zstandard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from automl.rivals.bench import Bench
from automl.rivals.rival import Answer
from automl.rivals.zstd_codec import ZstdCodec
from deploy.packet import PacketCodec
from deploy.sample import arrays_of
from evaluators.flops import EdgeFlops
from evaluators.link import samples_of
from evaluators.outcome import BATCH, outcome
from evaluators.subject import Subject
from results.rival_point import RivalName, RivalPoint, Settings
from search_spaces.arrangement import Arrangement
from search_spaces.config import Config
from search_spaces.derived import CloudPart, DerivedModel, EdgePart
from search_spaces.payload import Payload, each, payload_of, tensors_of
from search_spaces.placement import device_of
from search_spaces.task import SplitName

Scale = Literal["tensor", "channel"]
LEVELS = 255


class Rounding(nn.Module):
    """Features to uint8 by their range on training data, for a tensor as a whole or channel by channel."""

    low: Tensor
    step: Tensor

    def __init__(self, arrangement: Arrangement, low: Tensor, high: Tensor) -> None:
        """Take the range: low and high are (C, 1, 1) or (1, 1, 1)."""
        super().__init__()
        self.arrangement = arrangement
        self.register_buffer("low", low)
        self.register_buffer("step", ((high - low) / LEVELS).clamp_min(1e-12))

    def forward(self, features: Tensor) -> Tensor:
        """Return symbols (b, c, h, w) uint8 of features (b, ...)."""
        scaled = (self.arrangement.image(features) - self.low) / self.step
        return scaled.round().clamp(0, LEVELS).to(torch.uint8)


class Restoring(nn.Module):
    """Symbols back to features."""

    def __init__(self, rounding: Rounding) -> None:
        super().__init__()
        self.rounding = rounding

    def forward(self, symbols: Tensor) -> Tensor:
        """Return features (b, ...) of symbols (b, c, h, w) uint8."""
        return self.rounding.arrangement.features(symbols.float() * self.rounding.step + self.rounding.low)


class ZstdLink:
    """Sends 8-bit features; what arrives was really decoded from the packet."""

    def __init__(self, shapes: Sequence[tuple[int, ...]]) -> None:
        self._codec = PacketCodec(ZstdCodec(shapes))

    def carry(self, sent: Payload) -> tuple[Payload, list[int]]:
        """Return the decoded symbols and the packets' lengths."""
        packets = [self._codec.encode(sample) for sample in samples_of(sent)]
        decoded = [arrays_of(self._codec.decode(packet)) for packet in packets]
        arrived = payload_of(
            torch.from_numpy(np.stack(arrays)).to(tensor.device)
            for tensor, arrays in zip(tensors_of(sent), zip(*decoded, strict=True), strict=True)
        )
        return arrived, [len(packet) for packet in packets]


@dataclass(frozen=True)
class PlainCut:
    """The cloud model cut at any interior split point, untrained (Neurosurgeon: Kang et al., ASPLOS 2017).

    Neurosurgeon sends float32 features uncompressed; 8 bits and Zstandard are in the rival's favour, and so is the
    choice of one range a tensor or one a channel.
    """

    bench: Bench
    name: RivalName = "plain cut"

    def parts(self, measured: Sequence[RivalPoint]) -> list[Settings]:
        """Return every interior split point with both scales."""
        splits = range(1, self.bench.info.splits)
        return [{"split": split, "scale": scale} for split in splits for scale in ("tensor", "channel")]

    def points(self, part: Settings) -> list[RivalPoint]:
        """Return one cut's point."""
        figures = self.answer(part, "validation").figures(self.bench.plan.task)
        return [RivalPoint(self.name, part, f"split {part['split']}, a range a {part['scale']}", figures)]

    def answer(self, settings: Settings, split: SplitName) -> Answer:
        """Run the cut cloud model, every sample through its packet."""
        task = self.bench.plan.task
        derived = self.cut(int(settings["split"]), settings["scale"])
        found = outcome(derived, task, task.data(split), ZstdLink(derived.symbol_shapes))
        return Answer(found, EdgeFlops().measure(Subject(derived, task, found)))

    def cut(self, split: int, scale: Scale) -> DerivedModel:
        """Return the cloud model cut at a split point."""
        cloud = self.bench.trial.supernet.cloud
        blocks = list(cloud.blocks)
        roundings = self._roundings(split, scale)
        shapes = tuple((r.arrangement.channels, *r.arrangement.sides) for r in roundings)
        edge = EdgePart(blocks[:split], nn.Identity(), each(roundings))
        restoring = each([Restoring(rounding) for rounding in roundings])
        return DerivedModel(Config(split), edge, CloudPart(restoring, nn.Identity(), blocks[split:]), shapes).eval()

    @torch.no_grad()
    def _roundings(self, split: int, scale: Scale) -> list[Rounding]:
        cloud = self.bench.trial.supernet.cloud
        arrangements = [Arrangement.of(shape) for shape in cloud.crossing[split - 1]]
        edge, train = nn.Sequential(*cloud.blocks[:split]), self.bench.plan.task.data("train")
        ranges: list[list[tuple[Tensor, Tensor]]] = [[] for _ in arrangements]
        for rows in train.batches(BATCH, self.bench.plan.refining.calibration):
            features: Any = edge(train.batch(rows)[0].to(device_of(cloud)))
            for at, tensor in enumerate(tensors_of(features)):
                ranges[at].append(_range(arrangements[at].image(tensor), scale))
        return [_rounding(*pair) for pair in zip(arrangements, ranges, strict=True)]


def _range(image: Tensor, scale: Scale) -> tuple[Tensor, Tensor]:
    over = (0, 2, 3) if scale == "channel" else (0, 1, 2, 3)
    return image.amin(over, keepdim=True)[0], image.amax(over, keepdim=True)[0]


def _rounding(arrangement: Arrangement, ranges: Sequence[tuple[Tensor, Tensor]]) -> Rounding:
    low = torch.stack([low for low, _ in ranges]).amin(0)
    high = torch.stack([high for _, high in ranges]).amax(0)
    return Rounding(arrangement, low, high)
