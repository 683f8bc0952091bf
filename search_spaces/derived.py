"""DerivedModel: the sub-model that one Config names, as an edge part and a cloud part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor, nn

from search_spaces.config import Config
from search_spaces.gate import Answering
from search_spaces.payload import Payload, parts_of, payload_of, tensors_of
from search_spaces.quantiser import Quantiser
from search_spaces.shared import Shared
from search_spaces.task import Outputs
from search_spaces.trace import Crossing, Trace, run


class EdgePart(nn.Module):
    """Runs on the edge: image to symbols, to raw outputs where everything is on the edge, or to both.

    Args:
        blocks: The chain's blocks.
        encoder: Features to the latent that is sent; None where no features are.
        quantiser: Latent to symbols.
        answering: Answers, and says of which samples that is enough; None where the edge answers all, or none.
        reduction: Image to the smaller one that the blocks see; None where they see all of it.
    """

    def __init__(
        self,
        blocks: Sequence[nn.Module],
        encoder: nn.Module | None,
        quantiser: nn.Module | None,
        answering: Answering | None = None,
        reduction: nn.Module | None = None,
    ) -> None:
        super().__init__()
        self.reduction = reduction
        self.blocks = nn.Sequential(*blocks)
        self.encoder, self.quantiser, self.answering = encoder, quantiser, answering

    def forward(self, images: Tensor) -> Payload:
        """Return symbols (b, w, h, w') uint8 of each tensor that crosses, then raw outputs, then scores."""
        features = self.features(images)
        if self.encoder is None or self.quantiser is None:
            return features if self.answering is None else self.answering(features)
        symbols: Payload = self.quantiser(self.encoder(features))
        return symbols if self.answering is None else (*tensors_of(symbols), *self.answering(features))

    def features(self, images: Tensor) -> Payload:
        """Return what the blocks make of images (b, 3, H, W)."""
        features: Payload = self.blocks(self.reduced(images))
        return features

    def reduced(self, images: Tensor) -> Tensor:
        """Return the images that the blocks see."""
        return images if self.reduction is None else self.reduction(images)


@dataclass(frozen=True)
class Crossed:
    """What an edge part gives of a batch.

    Attributes:
        symbols: Of each tensor that is sent as features; nothing where none is.
        outputs: The edge's own raw outputs; nothing where it does not answer.
        scores: The gate's, (b, answers); None where there is no gate.
    """

    symbols: tuple[Tensor, ...]
    outputs: Outputs
    scores: Tensor | None


class CloudPart(nn.Module):
    """Runs in the cloud: symbols, or the image at split 0, to raw outputs."""

    def __init__(
        self, dequantiser: nn.Module | None, decoder: nn.Module | None, blocks: Sequence[nn.Module]
    ) -> None:
        super().__init__()
        self.dequantiser, self.decoder = dequantiser, decoder
        self.blocks = nn.Sequential(*blocks)

    def forward(self, received: Payload) -> Outputs:
        """Return the raw outputs of symbols (b, w, h, w') uint8 of each tensor, or of images at split 0."""
        if self.dequantiser is not None and self.decoder is not None:
            received = self.decoder(self.dequantiser(received))
        outputs: Outputs = self.blocks(received)
        return outputs


class DerivedModel(nn.Module):
    """One configuration's own weights, cut into what the edge and what the cloud runs.

    Args:
        config: The canonical Config.
        edge: None at split 0.
        cloud: What answers features, or the image at split 0; None where neither is sent.
        symbol_shapes: Channels, height and width of the symbols of each tensor that is sent.
        whole: The complete cloud model, for the images that a gate sends; it is not this model's own.
    """

    def __init__(
        self,
        config: Config,
        edge: EdgePart | None,
        cloud: CloudPart | None,
        symbol_shapes: tuple[tuple[int, int, int], ...] = (),
        whole: CloudPart | None = None,
    ) -> None:
        super().__init__()
        self.config, self.symbol_shapes = config, symbol_shapes
        self.edge, self.cloud = edge, cloud
        self._whole = Shared(whole)

    @property
    def whole(self) -> CloudPart | None:
        """The complete cloud model, where a gate sends images."""
        return self._whole.held

    @property
    def answering(self) -> Answering | None:
        """The edge's answer and its gate; None where there is no gate."""
        return None if self.edge is None else self.edge.answering

    def with_config(self, config: Config) -> DerivedModel:
        """Return the same model under a Config of the same program: one that is offloaded from at another share."""
        return DerivedModel(config, self.edge, self.cloud, self.symbol_shapes, self.whole)

    @property
    def tap_points(self) -> tuple[int, ...]:
        """Where ``trace`` leaves taps: by the number of blocks that come before them."""
        edge, cloud = (len(blocks) for blocks in self._blocks())
        return (edge, edge + cloud - 1) if self.symbol_shapes else (edge + cloud - 1,)

    def forward(self, images: Tensor) -> Outputs:
        """Return raw outputs exactly as the two parts give them, through integer symbols where they are sent."""
        if self.edge is None:
            assert self.cloud is not None
            return tensors_of(self.cloud(images))
        crossed = self.crossed(self.edge(images))
        return crossed.outputs if self.cloud is None else tensors_of(self.cloud(payload_of(crossed.symbols)))

    def crossed(self, given: Payload) -> Crossed:
        """Tell apart what the edge part gave."""
        tensors, sent = tensors_of(given), len(self.symbol_shapes)
        if self.answering is None:
            return Crossed(tensors[:sent], tensors[sent:], None)
        return Crossed(tensors[:sent], tensors[sent:-1], tensors[-1])

    def trace(self, images: Tensor) -> Trace:
        """Run a training pass over images (b, 3, H, W)."""
        edge, cloud = self._blocks()
        heads = {} if self.answering is None or self.cloud is None else {len(edge): self.answering.head}
        seen = images if self.edge is None else self.edge.reduced(images)
        return run(seen, edge, self._crossings(), cloud, heads)

    def _blocks(self) -> tuple[Sequence[nn.Module], Sequence[nn.Module]]:
        """Return the blocks that answer, before and behind the cut; the edge's own head is its last one."""
        edge = [] if self.edge is None else list(self.edge.blocks)
        if self.cloud is None and self.answering is not None:
            edge.append(self.answering.head)
        return edge, () if self.cloud is None else tuple(self.cloud.blocks)

    def _crossings(self) -> list[Crossing]:
        if self.edge is None or self.cloud is None:
            return []
        ends = self.edge.encoder, self.edge.quantiser, self.cloud.decoder
        return [_crossing(*parts) for parts in zip(*map(parts_of, ends), strict=True)]


def _crossing(encoder: nn.Module, quantiser: nn.Module, decoder: nn.Module) -> Crossing:
    assert isinstance(quantiser, Quantiser)
    return Crossing(encoder, quantiser.soft, decoder)
