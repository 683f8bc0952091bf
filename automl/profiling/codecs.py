"""Codecs: what deploy's own codecs and post-processing are timed on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np
from PIL import Image

from automl.tasks.sources import source
from deploy.image_codec import ImageCodec, ImageSettings
from deploy.joint_codec import symbols_codec
from deploy.packet import PacketCodec
from deploy.postprocess import Outputs, Postprocess, postprocessor
from deploy.sample import Sample
from deploy.symbol_tables import SymbolTables

SIDES = (32, 64, 96, 128)
QUALITIES = (10, 40, 80)
SHAPES = [(channels, side, side) for channels in (2, 4, 8, 16) for side in (5, 10, 20)]
BITS = 3
CALIBRATION = 512
CLASSES, GRID, STRIDE = 10, 10, 8


@dataclass(frozen=True)
class Coded:
    """A sample, its codec and its packet; of symbols their shape, of an image the pixels that are sent."""

    codec: PacketCodec
    sample: Sample
    packet: bytes
    size: tuple[int, ...]

    @classmethod
    def of(cls, codec: PacketCodec, sample: Sample, size: tuple[int, ...]) -> Coded:
        """Encode a sample."""
        return cls(codec, sample, codec.encode(sample), size)

    def encode(self) -> bytes:
        """Encode it once more."""
        return self.codec.encode(self.sample)

    def decode(self) -> Sample:
        """Decode its packet."""
        return self.codec.decode(self.packet)


def coded_symbols() -> list[Coded]:
    """Return smooth random symbols of several shapes, under tables that know contexts."""
    rng = np.random.default_rng(0)
    return [_coded_symbols(shape, rng) for shape in SHAPES]


def _coded_symbols(shape: tuple[int, int, int], rng: np.random.Generator) -> Coded:
    smooth = rng.normal(size=(CALIBRATION, *shape))
    for axis in (1, 2, 3):
        smooth = smooth + np.roll(smooth, 1, axis)
    symbols = np.clip(np.round(smooth / 2) + 2 ** (BITS - 1), 0, 2**BITS - 1).astype(np.uint8)
    codec = symbols_codec([SymbolTables.calibrate(symbols, BITS)], [shape])
    return Coded.of(PacketCodec(codec), symbols[0], shape)


def coded_images(image_format: str) -> list[Coded]:
    """Return photographs of several sizes at several qualities."""
    return [
        _coded_image(image_format, photo, side, quality)
        for photo, side, quality in product(source("train").photos, SIDES, QUALITIES)
    ]


def _coded_image(image_format: str, photo: np.ndarray, side: int, quality: int) -> Coded:
    square = photo[: min(photo.shape[:2]), : min(photo.shape[:2])]
    image = np.asarray(Image.fromarray(square).resize((side, side)))
    codec = PacketCodec(ImageCodec(ImageSettings(image_format, quality, side, (side, side))))
    return Coded.of(codec, image, (side, side))


def scores() -> tuple[Postprocess, Outputs]:
    """Return the post-processing of class scores and raw outputs for it."""
    return postprocessor({"kind": "softmax"}), (np.linspace(-1, 1, CLASSES, dtype=np.float32)[None],)


def boxes() -> Iterator[tuple[Postprocess, Outputs]]:
    """Yield a detector's post-processing with raw outputs of ever more boxes."""
    answer = postprocessor(
        {
            "kind": "fcos",
            "strides": [STRIDE],
            "grids": [[GRID, GRID]],
            "score_threshold": 0.2,
            "nms_threshold": 0.5,
            "candidates": 200,
            "detections": 200,
            "image_size": GRID * STRIDE,
        }
    )
    rng = np.random.default_rng(0)
    for level in (-9.0, -5.0, -4.0, -3.0, -2.0, -1.0):
        raw = [rng.normal(size=(1, GRID**2, size)).astype(np.float32) for size in (CLASSES, 4, 1)]
        yield answer, (raw[0] + np.float32(level), np.abs(raw[1]) + 1, raw[2])
