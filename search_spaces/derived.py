"""DerivedModel: the sub-model that one Config names, as an edge part and a cloud part."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from search_spaces.config import Config
from search_spaces.payload import Payload, parts_of, tensors_of
from search_spaces.quantiser import Quantiser
from search_spaces.task import Outputs
from search_spaces.trace import Crossing, Trace, run


class EdgePart(nn.Module):
    """Runs on the edge: image to symbols, or to raw outputs where everything is on the edge."""

    def __init__(self, blocks: Sequence[nn.Module], encoder: nn.Module | None, quantiser: nn.Module | None) -> None:
        super().__init__()
        self.blocks = nn.Sequential(*blocks)
        self.encoder, self.quantiser = encoder, quantiser

    def forward(self, images: Tensor) -> Payload:
        """Return symbols (b, w, h, w') uint8 of each tensor that crosses, or raw outputs."""
        features: Payload = self.blocks(images)
        if self.encoder is None or self.quantiser is None:
            return features
        symbols: Payload = self.quantiser(self.encoder(features))
        return symbols


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
        cloud: None where everything is on the edge.
        symbol_shapes: Channels, height and width of the symbols of each tensor that is sent.
    """

    def __init__(
        self,
        config: Config,
        edge: EdgePart | None,
        cloud: CloudPart | None,
        symbol_shapes: tuple[tuple[int, int, int], ...] = (),
    ) -> None:
        super().__init__()
        self.config, self.symbol_shapes = config, symbol_shapes
        self.edge, self.cloud = edge, cloud

    @property
    def tap_points(self) -> tuple[int, ...]:
        """Where ``trace`` leaves taps: by the number of blocks that come before them."""
        edge = 0 if self.edge is None else len(self.edge.blocks)
        cloud = 0 if self.cloud is None else len(self.cloud.blocks)
        return (edge, edge + cloud - 1) if self.symbol_shapes else (edge + cloud - 1,)

    def forward(self, images: Tensor) -> Outputs:
        """Return raw outputs exactly as the two parts give them, through integer symbols where they are sent."""
        crossing = images if self.edge is None else self.edge(images)
        answer = crossing if self.cloud is None else self.cloud(crossing)
        return tensors_of(answer)

    def trace(self, images: Tensor) -> Trace:
        """Run a training pass over images (b, 3, H, W)."""
        edge = () if self.edge is None else tuple(self.edge.blocks)
        cloud = () if self.cloud is None else tuple(self.cloud.blocks)
        return run(images, edge, self._crossings(), cloud)

    def _crossings(self) -> list[Crossing]:
        if self.edge is None or self.cloud is None:
            return []
        ends = self.edge.encoder, self.edge.quantiser, self.cloud.decoder
        return [_crossing(*parts) for parts in zip(*map(parts_of, ends), strict=True)]


def _crossing(encoder: nn.Module, quantiser: nn.Module, decoder: nn.Module) -> Crossing:
    assert isinstance(quantiser, Quantiser)
    return Crossing(encoder, quantiser.soft, decoder)
