"""Device: how long one machine takes for what a configuration lets it do."""

from __future__ import annotations

from dataclasses import dataclass

from evaluators.program import Program


@dataclass(frozen=True)
class Rate:
    """What operators of one kind cost.

    Attributes:
        throughput: Multiply-adds a second; of elementwise operators and layouts elements, read and written.
        call: Seconds that each operator takes on top.
        block: Channels that are computed together: fewer take as long.
    """

    throughput: float
    call: float
    block: int = 1


@dataclass(frozen=True)
class Operators:
    """What operators cost, by kind; see ``evaluators.program.KINDS``."""

    conv: Rate
    pointwise: Rate
    depthwise: Rate
    linear: Rate
    matmul: Rate
    elementwise: Rate
    layout: Rate


@dataclass(frozen=True)
class SymbolCost:
    """Seconds to encode or to decode symbols: for each packet, each channel of it and each symbol."""

    packet: float
    channel: float
    symbol: float

    def seconds(self, shapes: tuple[tuple[int, int, int], ...]) -> float:
        """Return the seconds for a packet with symbols (C, h, w) of each tensor."""
        channels = sum(shape[0] for shape in shapes)
        symbols = sum(channels * height * width for channels, height, width in shapes)
        return self.packet + channels * self.channel + symbols * self.symbol


@dataclass(frozen=True)
class Symbols:
    """What the symbol codec costs."""

    encode: SymbolCost
    decode: SymbolCost


@dataclass(frozen=True)
class ImageCost:
    """Seconds to encode or to decode an image: for each packet, each pixel that is sent and each byte of it."""

    packet: float
    pixel: float
    byte: float


@dataclass(frozen=True)
class ImageFormat:
    """What one image format costs."""

    encode: ImageCost
    decode: ImageCost


@dataclass(frozen=True)
class Images:
    """What the image formats cost."""

    jpeg: ImageFormat
    webp: ImageFormat
    avif: ImageFormat


@dataclass(frozen=True)
class Answer:
    """Seconds to turn raw outputs into an answer.

    Attributes:
        classes: An answer that is class scores.
        boxes: An answer that is boxes, before the first of them.
        box: Each box.
    """

    classes: float
    boxes: float
    box: float


@dataclass(frozen=True)
class Device:
    """One machine.

    Attributes:
        run: Seconds to begin a program.
        pixel: Seconds to make a program's input of a pixel.
        operators: What a program's operators cost.
        symbols: What the symbol codec costs.
        images: What the image formats cost.
        answer: What post-processing costs.
        sample: Seconds that a sample takes besides its parts: after a wait caches hold other things.
    """

    run: float
    pixel: float
    operators: Operators
    symbols: Symbols
    images: Images
    answer: Answer
    sample: float = 0.0

    def seconds(self, program: Program) -> float:
        """Return the seconds for one run of a program: operators one after the other."""
        total = self.run
        for operator in program:
            rate: Rate = getattr(self.operators, operator.kind)
            total += operator.passes * rate.call + operator.in_blocks(rate.block) / rate.throughput
        return total
