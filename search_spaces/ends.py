"""Ends: what one tensor goes through between edge and cloud, on shared weights or on weights of its own."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from search_spaces.arrangement import Arrangement
from search_spaces.bottleneck import DECODER_AXES, ENCODER_AXES, Bottleneck, Decoder, Encoder
from search_spaces.config import Config
from search_spaces.placement import device_of
from search_spaces.quantiser import Quantiser, quantise
from search_spaces.slicing import SharedSlice, along, prefix, sliced
from search_spaces.trace import Crossing


@dataclass(frozen=True)
class Ends:
    """A bottleneck as one Config has it.

    Attributes:
        bottleneck: Of the tensor that crosses.
        arrangement: How the tensor lies on the edge.
        config: Says width, stride and bits.
    """

    bottleneck: Bottleneck
    arrangement: Arrangement
    config: Config

    @property
    def symbol_shape(self) -> tuple[int, int, int]:
        """Channels, height and width of one sample's symbols."""
        height, width = (-(-side // self.config.stride) for side in self.arrangement.sides)
        return self.config.width, height, width

    def shared(self) -> Crossing:
        """Return both ends on the bottleneck's own weights, so that gradients reach them."""
        (encoder, decoder), units, steps = self._fitted(), self._units(), self._log_step()
        return Crossing(
            SharedSlice(encoder, along(ENCODER_AXES, units)),
            lambda latent: quantise(latent, steps, self.config.bits),
            SharedSlice(decoder, along(DECODER_AXES, units)),
        )

    def own(self) -> tuple[nn.Module, Quantiser, nn.Module]:
        """Return encoder, quantiser and decoder with weights of their own, physically sliced."""
        (encoder, decoder), units = self._fitted(), self._units()
        own = sliced(encoder, along(ENCODER_AXES, units)), sliced(decoder, along(DECODER_AXES, units))
        return own[0], Quantiser(self._log_step(), self.config.bits), own[1]

    def _fitted(self) -> tuple[nn.Module, nn.Module]:
        key = str(self.config.stride)
        encoder, decoder = self.bottleneck.encoders[key], self.bottleneck.decoders[key]
        assert isinstance(encoder, Encoder) and isinstance(decoder, Decoder)
        return encoder.fitted(self.arrangement), decoder.fitted(self.arrangement)

    def _units(self) -> Tensor:
        return prefix(self.config.width, device_of(self.bottleneck))

    def _log_step(self) -> Tensor:
        return self.bottleneck.log_step(self.config.width, self.config.stride, self.config.bits)
