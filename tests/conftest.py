"""A bundle made by hand: its programs are a few ONNX nodes, so that deploy is tested without torch."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import settings
from onnx import TensorProto, helper

from deploy.bundle import CLOUD, EDGE, SAMPLE, TABLES, WHOLE, Bundle
from deploy.image_codec import ImageCodec, ImageSettings
from deploy.manifest import Manifest
from deploy.symbol_tables import SymbolTables

# As the command line does, and before anything imports torch.
os.environ.setdefault("GOMP_SPINCOUNT", "3000")
# Where a change is judged, the examples are the same every time; at a desk they are new ones.
settings.register_profile("judged", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("judged")

SIDE, SHAPE, BITS = 32, (3, 4, 4), 4
CLASSES = ("red", "green", "blue")
GATE = {"threshold": 0.25, "routes": ["edge", "features", "image"]}
CONFIG = {"split": 1, "image_format": "webp", "image_quality": 90, "image_resolution": SIDE}


End = tuple[str, int, int]
"""Name, element type and rank of a program's output."""


def write_program(path: Path, source: tuple[int, int], sinks: list[End], nodes: list[onnx.NodeProto]) -> None:
    """Write a program from ``in``, of an element type and a rank, to its outputs."""
    ends = [
        helper.make_tensor_value_info(name, kind, [f"{name}{i}" for i in range(rank)])
        for name, kind, rank in (("in", *source), *sinks)
    ]
    numbers = {"fifteen": 15.0, "one": 1.0, "half": 0.5}
    constants = [helper.make_tensor(name, TensorProto.FLOAT, [], [value]) for name, value in numbers.items()]
    graph = helper.make_graph(nodes, "program", ends[:1], ends[1:], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())


def fill(kind: str) -> Callable[[Path], None]:
    """Return what writes the files of a bundle that tells the brightest colour."""
    node = helper.make_node
    encode = [
        node("AveragePool", ["in"], ["mean"], kernel_shape=[8, 8], strides=[8, 8]),
        node("Mul", ["mean", "fifteen"], ["scaled"]),
        node("Round", ["scaled"], ["rounded"]),
        node("Cast", ["rounded"], ["out"], to=TensorProto.UINT8),
    ]
    read = [node("Cast", ["in"], ["values"], to=TensorProto.FLOAT)]
    answer = [node("GlobalAveragePool", ["values"], ["pooled"]), node("Flatten", ["pooled"], ["logits"])]
    # The darker the brightest colour, the less is trusted; features are trusted twice as much as the edge.
    gate = [
        node("ReduceMax", ["logits"], ["brightest"], keepdims=1),
        node("Sub", ["one", "brightest"], ["harm"]),
        node("Mul", ["harm", "half"], ["less"]),
        node("Concat", ["harm", "less"], ["scores"], axis=1),
    ]
    image, symbols = (TensorProto.FLOAT, 4), (TensorProto.UINT8, 4)
    logits, scores = ("logits", TensorProto.FLOAT, 2), ("scores", TensorProto.FLOAT, 2)

    def write(folder: Path) -> None:
        if kind == "features":
            write_program(folder / EDGE, image, [("out", *symbols)], encode)
        elif kind == "gated":
            ends = [("out", *symbols), logits, scores]
            write_program(folder / EDGE, image, ends, encode + read + answer + gate)
            write_program(folder / WHOLE, image, [logits], read + answer)
        else:
            write_program(folder / (EDGE if kind == "edge" else CLOUD), image, [logits], read + answer)
        if kind in ("features", "gated"):
            write_program(folder / CLOUD, symbols, [logits], read + answer)
            SymbolTables.uniform(SHAPE[0], BITS).save(folder / TABLES)
        if kind in ("image", "gated"):
            settings = ImageSettings("webp", 90, SIDE, (SIDE, SIDE))
            (folder / SAMPLE).write_bytes(ImageCodec(settings).sample)

    return write


def manifest(kind: str) -> Manifest:
    return Manifest(
        kind=kind,
        task="colours",
        metric="top-1",
        classes=CLASSES,
        image_size=(SIDE, SIDE),
        config=CONFIG,
        preprocessing={},
        postprocessing={"kind": "softmax"},
        metrics={"test": {"quality": 1.0}},
        versions={"numpy": np.__version__},
        symbol_shapes=(SHAPE,) if kind in ("features", "gated") else (),
        bits=BITS if kind in ("features", "gated") else 0,
        gate=GATE if kind == "gated" else {},
    )


@pytest.fixture
def make_bundle(tmp_path: Path) -> Callable[[str], Bundle]:
    """Return what writes a bundle of a kind below the test's own folder."""
    return lambda kind: Bundle.write(tmp_path / kind, manifest(kind), fill(kind))
