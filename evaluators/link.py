"""Link: what one configuration sends, really encoded and decoded by the code that deploy runs."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

import numpy as np
import torch

from deploy.image_codec import ImageCodec, ImageSettings
from deploy.joint_codec import symbols_codec
from deploy.packet import PacketCodec, PayloadCodec
from deploy.sample import Sample, arrays_of, sample_of
from deploy.symbol_tables import SymbolTables
from search_spaces.derived import DerivedModel
from search_spaces.payload import Payload, tensors_of


class Link(Protocol):
    """Carries a batch from the edge to the cloud."""

    def carry(self, sent: Payload) -> tuple[Payload, list[int]]:
        """Return what arrives for a batch and the length of each sample's packet in bytes."""
        ...


class FeatureLink:
    """Sends integer symbols (b, w, h, w') uint8; the codec is lossless, so they arrive as they are."""

    def __init__(self, tables: Sequence[SymbolTables], shapes: Sequence[tuple[int, int, int]]) -> None:
        self._codec = PacketCodec(symbols_codec(tables, shapes))

    def carry(self, sent: Payload) -> tuple[Payload, list[int]]:
        """Return the symbols and the packets' lengths."""
        return sent, [len(self._codec.encode(symbols)) for symbols in samples_of(sent)]


class ImageLink:
    """Sends compressed images; what arrives has the codec's loss."""

    def __init__(self, codec: PayloadCodec) -> None:
        self._codec = PacketCodec(codec)

    def carry(self, sent: Payload) -> tuple[Payload, list[int]]:
        """Return the decoded images, float (b, 3, H, W) in 0..1, and the packets' lengths."""
        (images,) = tensors_of(sent)
        pixels = (images * 255).round().to(torch.uint8).permute(0, 2, 3, 1).contiguous().cpu().numpy()
        # Pillow's codecs let go of the interpreter, so threads share the work.
        with ThreadPoolExecutor(torch.get_num_threads()) as pool:
            packets = list(pool.map(self._codec.encode, pixels))
            decoded = torch.from_numpy(
                np.concatenate([arrays_of(each) for each in pool.map(self._codec.decode, packets)])
            )
        return decoded.to(images.device).permute(0, 3, 1, 2).float() / 255, [len(packet) for packet in packets]


def samples_of(symbols: Payload) -> list[Sample]:
    """Return the symbols of each sample of a batch as the codec takes them."""
    arrays = (tensor.cpu().numpy() for tensor in tensors_of(symbols))
    return [sample_of(each) for each in zip(*arrays, strict=True)]


def link_of(derived: DerivedModel, tables: Sequence[SymbolTables], image_size: int) -> Link | None:
    """Return the link that a derived model's Config names; None where everything runs on the edge.

    Args:
        derived: The model.
        tables: The symbols' frequencies, of each tensor that is sent.
        image_size: Side of the model's input in pixels.
    """
    config = derived.config
    if derived.edge is None:
        size = (image_size, image_size)
        settings = ImageSettings(config.image_format, config.image_quality, config.image_resolution, size)
        return ImageLink(ImageCodec(settings))
    return FeatureLink(tables, derived.symbol_shapes) if derived.symbol_shapes else None
