"""DerivedModel: the sub-model that one Config names, as an edge part and a cloud part."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from search_spaces.config import Config
from search_spaces.quantiser import Dequantiser, Quantiser
from search_spaces.task import Outputs
from search_spaces.trace import Crossing, Trace, run


class EdgePart(nn.Module):
    """Runs on the edge: image to symbols, or to raw outputs where everything is on the edge."""

    def __init__(self, blocks: Sequence[nn.Module], encoder: nn.Module | None, quantiser: Quantiser | None) -> None:
        super().__init__()
        self.blocks = nn.Sequential(*blocks)
        self.encoder, self.quantiser = encoder, quantiser

    def forward(self, images: Tensor) -> Tensor | Outputs:
        """Return symbols (b, w, h, w') uint8, or raw outputs."""
        features = self.blocks(images)
        if self.encoder is None or self.quantiser is None:
            return features
        symbols: Tensor = self.quantiser(self.encoder(features))
        return symbols


class CloudPart(nn.Module):
    """Runs in the cloud: symbols, or the image at split 0, to raw outputs."""

    def __init__(
        self, dequantiser: Dequantiser | None, decoder: nn.Module | None, blocks: Sequence[nn.Module]
    ) -> None:
        super().__init__()
        self.dequantiser, self.decoder = dequantiser, decoder
        self.blocks = nn.Sequential(*blocks)

    def forward(self, received: Tensor) -> Outputs:
        """Return the raw outputs of symbols (b, w, h, w') uint8, or of images at split 0."""
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
        symbol_shape: Channels, height and width of the symbols, where symbols are sent.
    """

    def __init__(
        self,
        config: Config,
        edge: EdgePart | None,
        cloud: CloudPart | None,
        symbol_shape: tuple[int, int, int] | None,
    ) -> None:
        super().__init__()
        self.config, self.symbol_shape = config, symbol_shape
        self.edge, self.cloud = edge, cloud

    @property
    def tap_points(self) -> tuple[int, ...]:
        """Where ``trace`` leaves taps: by the number of blocks that come before them."""
        edge = 0 if self.edge is None else len(self.edge.blocks)
        cloud = 0 if self.cloud is None else len(self.cloud.blocks)
        return (edge, edge + cloud - 1) if self._crossing() else (edge + cloud - 1,)

    def forward(self, images: Tensor) -> Outputs:
        """Return raw outputs exactly as the two parts give them, through integer symbols where they are sent."""
        crossing = images if self.edge is None else self.edge(images)
        answer = crossing if self.cloud is None else self.cloud(crossing)
        return answer if isinstance(answer, tuple) else (answer,)

    def trace(self, images: Tensor) -> Trace:
        """Run a training pass over images (b, 3, H, W)."""
        edge = () if self.edge is None else tuple(self.edge.blocks)
        cloud = () if self.cloud is None else tuple(self.cloud.blocks)
        return run(images, edge, self._crossing(), cloud)

    def _crossing(self) -> Crossing | None:
        if self.edge is None or self.cloud is None or self.edge.encoder is None:
            return None
        assert self.edge.quantiser is not None and self.cloud.decoder is not None
        return Crossing(self.edge.encoder, self.edge.quantiser.soft, self.cloud.decoder)
