"""Link: what one configuration sends, really encoded and decoded by the code that deploy runs."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from deploy.image_codec import ImageCodec, ImageSettings
from deploy.packet import PacketCodec, PayloadCodec
from deploy.symbol_codec import SymbolCodec
from deploy.symbol_tables import SymbolTables
from search_spaces.derived import DerivedModel


class Link(Protocol):
    """Carries a batch from the edge to the cloud."""

    def carry(self, sent: Tensor) -> tuple[Tensor, list[int]]:
        """Return what arrives for a batch and the length of each sample's packet in bytes."""
        ...


class FeatureLink:
    """Sends integer symbols (b, w, h, w') uint8; the codec is lossless, so they arrive as they are."""

    def __init__(self, tables: SymbolTables, shape: tuple[int, int, int]) -> None:
        self._codec = PacketCodec(SymbolCodec(tables, shape))

    def carry(self, sent: Tensor) -> tuple[Tensor, list[int]]:
        """Return the symbols and the packets' lengths."""
        return sent, [len(self._codec.encode(symbols)) for symbols in sent.numpy()]


class ImageLink:
    """Sends compressed images; what arrives has the codec's loss."""

    def __init__(self, codec: PayloadCodec) -> None:
        self._codec = PacketCodec(codec)

    def carry(self, sent: Tensor) -> tuple[Tensor, list[int]]:
        """Return the decoded images, float (b, 3, H, W) in 0..1, and the packets' lengths."""
        pixels = (sent * 255).round().to(torch.uint8).permute(0, 2, 3, 1).contiguous().numpy()
        # Pillow's codecs let go of the interpreter, so threads share the work.
        with ThreadPoolExecutor(torch.get_num_threads()) as pool:
            packets = list(pool.map(self._codec.encode, pixels))
            decoded = torch.from_numpy(np.stack(list(pool.map(self._codec.decode, packets))))
        return decoded.permute(0, 3, 1, 2).float() / 255, [len(packet) for packet in packets]


def link_of(derived: DerivedModel, tables: SymbolTables | None, image_size: int) -> Link | None:
    """Return the link that a derived model's Config names; None where everything runs on the edge.

    Args:
        derived: The model.
        tables: The symbols' frequencies, where symbols are sent.
        image_size: Side of the model's input in pixels.
    """
    config = derived.config
    if derived.edge is None:
        size = (image_size, image_size)
        settings = ImageSettings(config.image_format, config.image_quality, config.image_resolution, size)
        return ImageLink(ImageCodec(settings))
    if derived.symbol_shape is None or tables is None:
        return None
    return FeatureLink(tables, derived.symbol_shape)
