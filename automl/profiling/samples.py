"""Samples: what a sample takes besides its parts when it comes after a wait, from whole samples.

Parts are timed again and again, so each finds its code and data in the caches. A sample goes through all of them
once, and whatever ran while it was waited for has taken their place.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from pathlib import Path

import numpy as np

from automl.profiling import codecs
from automl.profiling.programs import Chain, chains, write_program
from automl.profiling.stopwatch import Call
from deploy.session import Session, normalised
from evaluators.device import Device
from evaluators.program import Operator, Program

WAIT = 0.02
"""Seconds between two samples, as of a camera that takes fifty a second."""
OTHERS = np.ones(4 * 2**20)
"""What other programs are thought to read meanwhile: 32 MB, more than a core's caches; zeros would be one page."""
TYPICAL = 0.5
"""Quantile of the repeats: to be late after a wait is the rule, no accident."""
KINDS = ("elementwise", "conv", "pointwise", "depthwise")
REPEATS = 3
"""How often layers of all kinds follow one another."""
SIDE = 64


def meanwhile() -> None:
    """Wait for the next sample, while others use the caches."""
    OTHERS.sum()
    time.sleep(WAIT)


@dataclass(frozen=True)
class WholeSample:
    """A sample at one end.

    Attributes:
        call: Runs it.
        program: What its program computes.
        symbols: Channels, height and width of what is coded.
        edge: Whether it is the edge's, from pixels to a packet; else the cloud's, from a packet to class scores.
    """

    call: Call
    program: Program
    symbols: tuple[int, int, int]
    edge: bool

    def seconds(self, device: Device) -> float:
        """Return what its parts take one by one."""
        program = device.seconds(self.program)
        if self.edge:
            return program + SIDE**2 * device.pixel + device.symbols.encode.seconds((self.symbols,))
        return program + device.symbols.decode.seconds((self.symbols,)) + device.answer.classes


def whole_samples(folder: Path, threads: int) -> Iterator[WholeSample]:
    """Yield samples at both ends, their programs of several shapes written below ``folder``."""
    single = [chain for chain in chains() if chain.layers == 1]
    for shape in dict.fromkeys(chain.shape for chain in single):
        found = {chain.operator.kind: chain for chain in single if chain.shape == shape}
        if all(kind in found for kind in KINDS):
            layers = [found[kind] for _ in range(REPEATS) for kind in KINDS]
            path = folder / f"sample-{shape[1]}-{shape[2]}.onnx"
            write_program(path, shape, [layer.build for layer in layers])
            yield from _both_ends(Session(path, threads), layers)


def _both_ends(session: Session, layers: list[Chain]) -> Iterator[WholeSample]:
    shape, program = layers[0].shape, _with_layouts(layers)
    values, image = np.full(shape, 0.5, np.float32), np.zeros((SIDE, SIDE, 3), np.uint8)
    softmax, logits = codecs.scores()
    coded = codecs.coded_symbols()[0]
    size = coded.size[0], coded.size[1], coded.size[2]

    def on_the_edge() -> None:
        normalised(image)
        session.run(values)
        coded.encode()

    def in_the_cloud() -> None:
        coded.decode()
        session.run(values)
        softmax(logits)

    yield WholeSample(on_the_edge, program, size, True)
    yield WholeSample(in_the_cloud, program, size, False)


def _with_layouts(layers: list[Chain]) -> Program:
    """Return the operators, and the change of layout before the first convolution and behind the last one."""
    first, *others = (layer.operator for layer in layers)
    layout = Operator("layout", 2 * prod(layers[0].shape))
    return (first, layout, *others, layout)
