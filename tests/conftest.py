"""A bundle made by hand: its programs are a few ONNX nodes, so that deploy is tested without torch."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import settings
from onnx import TensorProto, helper

from deploy.bundle import CLOUD, EDGE, SAMPLE, TABLES, Bundle
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
CONFIG = {"split": 1, "image_format": "webp", "image_quality": 90, "image_resolution": SIDE}


def write_program(path: Path, source: tuple[int, int], sink: tuple[int, int], nodes: list[onnx.NodeProto]) -> None:
    """Write a program from ``in`` to ``out``; source and sink are (element type, rank)."""
    ends = [
        helper.make_tensor_value_info(name, kind, [f"{name}{i}" for i in range(rank)])
        for name, (kind, rank) in (("in", source), ("out", sink))
    ]
    fifteen = helper.make_tensor("fifteen", TensorProto.FLOAT, [], [15.0])
    graph = helper.make_graph(nodes, "program", ends[:1], ends[1:], [fifteen])
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
    answer = [node("GlobalAveragePool", ["values"], ["pooled"]), node("Flatten", ["pooled"], ["out"])]
    image, symbols, logits = (TensorProto.FLOAT, 4), (TensorProto.UINT8, 4), (TensorProto.FLOAT, 2)

    def write(folder: Path) -> None:
        if kind == "features":
            write_program(folder / EDGE, image, symbols, encode)
            write_program(folder / CLOUD, symbols, logits, read + answer)
            SymbolTables.uniform(SHAPE[0], BITS).save(folder / TABLES)
        else:
            write_program(folder / (EDGE if kind == "edge" else CLOUD), image, logits, read + answer)
        if kind == "image":
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
        symbol_shapes=(SHAPE,) if kind == "features" else (),
        bits=BITS if kind == "features" else 0,
    )


@pytest.fixture
def make_bundle(tmp_path: Path) -> Callable[[str], Bundle]:
    """Return what writes a bundle of a kind below the test's own folder."""
    return lambda kind: Bundle.write(tmp_path / kind, manifest(kind), fill(kind))
