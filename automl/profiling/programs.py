"""Programs: small ONNX files of one kind of operator each, and what is computed in them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
import onnx
from onnx import NodeProto, TensorProto, helper, numpy_helper

from evaluators.program import Operator

LAYERS = (1, 4)
"""Lengths of the chains: what a longer one takes more is the operators' own."""
SIDES = (5, 10, 20, 40, 80)
CHANNELS = (6, 12, 16, 20, 24, 32, 48, 64, 128)
"""Some fill no block of any size, so that blocks show."""
ROWS = (16, 64, 196)
ELEMENTWISE = ("Mul", "Sigmoid", "Add", "Transpose")
MOST_WORK = 8_000_000
"""Of one layer, so that a slow device is not measured for long."""


Build = Callable[[int, str], tuple[list[NodeProto], dict[str, np.ndarray]]]
"""Writes a layer's nodes and weights: (its number, its input's name) -> (nodes, weights)."""


@dataclass(frozen=True)
class Chain:
    """A program of equal layers.

    Attributes:
        operator: One layer.
        layers: How many.
        shape: Of the program's input.
        build: Writes a layer.
    """

    operator: Operator
    layers: int
    shape: tuple[int, ...]
    build: Build

    def write(self, path: Path) -> None:
        """Write the program as an ONNX file with one input and one output."""
        write_program(path, self.shape, [self.build] * self.layers)


def write_program(path: Path, shape: Sequence[int], layers: Sequence[Build]) -> None:
    """Write layers, one after the other, as an ONNX file with one input of a shape and one output."""
    nodes: list[NodeProto] = []
    weights: dict[str, np.ndarray] = {}
    name = "in"
    for number, build in enumerate(layers):
        more, held = build(number, name)
        nodes, weights, name = nodes + more, weights | held, more[-1].output[0]
    ends = (
        [helper.make_tensor_value_info("in", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None)],
    )
    held_in = [numpy_helper.from_array(values, key) for key, values in weights.items()]
    graph = helper.make_graph(nodes, "program", *ends, held_in)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    onnx.save(model, str(path))


def chains() -> Iterator[Chain]:
    """Yield the programs of every kind."""
    for make in (_convolutions, _linears, _matmuls, _elementwise):
        yield from (chain for chain in make() if chain.operator.work <= MOST_WORK)


def _convolutions() -> Iterator[Chain]:
    for channels, side, layers in product(CHANNELS, SIDES, LAYERS):
        shape, area = (1, channels, side, side), side * side
        both = (channels, channels)
        yield Chain(Operator("conv", 9 * channels**2 * area, both), layers, shape, _conv(channels, 3, 1))
        yield Chain(Operator("pointwise", channels**2 * area, both), layers, shape, _conv(channels, 1, 1))
        depthwise = Operator("depthwise", 9 * channels * area, (channels,))
        yield Chain(depthwise, layers, shape, _conv(channels, 3, channels))


def _conv(channels: int, side: int, groups: int) -> Build:
    def build(layer: int, name: str) -> tuple[list[NodeProto], dict[str, np.ndarray]]:
        weight, bias = f"w{layer}", f"b{layer}"
        held = {weight: _weights(channels, channels // groups, side, side), bias: _weights(channels)}
        conv = helper.make_node(
            "Conv", [name, weight, bias], [f"c{layer}"], pads=[side // 2] * 4, group=groups, name=weight
        )
        return [conv, helper.make_node("Relu", [f"c{layer}"], [f"r{layer}"])], held

    return build


def _linears() -> Iterator[Chain]:
    for rows, width, layers in product(ROWS, (64, 128, 192, 384), LAYERS):
        operator = Operator("linear", rows * width**2)

        def build(layer: int, name: str, width: int = width) -> tuple[list[NodeProto], dict[str, np.ndarray]]:
            held = {f"w{layer}": _weights(width, width), f"b{layer}": _weights(width)}
            product = helper.make_node("MatMul", [name, f"w{layer}"], [f"p{layer}"])
            return [product, helper.make_node("Add", [f"p{layer}", f"b{layer}"], [f"a{layer}"])], held

        yield Chain(operator, layers, (1, rows, width), build)


def _matmuls() -> Iterator[Chain]:
    for heads, rows, layers in product((1, 3, 6), ROWS, LAYERS):
        operator = Operator("matmul", heads * rows**3)

        def build(layer: int, name: str) -> tuple[list[NodeProto], dict[str, np.ndarray]]:
            return [helper.make_node("MatMul", [name, "in"], [f"p{layer}"])], {}

        yield Chain(operator, layers, (1, heads, rows, rows), build)


def _elementwise() -> Iterator[Chain]:
    for channels, side, layers in product((8, 32, 64), SIDES, LAYERS):

        def build(layer: int, name: str, channels: int = channels) -> tuple[list[NodeProto], dict]:
            held = {f"w{layer}": _weights(channels, 1, 1) if layer % 4 else _weights(1)}
            return [_node(ELEMENTWISE[layer % 4], layer, name)], held

        yield Chain(Operator("elementwise", 2 * channels * side**2), layers, (1, channels, side, side), build)


def _node(kind: str, layer: int, name: str) -> NodeProto:
    if kind == "Transpose":
        return helper.make_node(kind, [name], [f"e{layer}"], perm=[0, 2, 3, 1])
    return helper.make_node(kind, [name] if kind == "Sigmoid" else [name, f"w{layer}"], [f"e{layer}"])


def _weights(*shape: int) -> np.ndarray:
    return np.full(shape, 1 / 64, np.float32)
