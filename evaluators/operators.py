"""Operators: what a module computes for one sample, read from the trace by which fvcore counts it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from math import prod
from typing import Any, NamedTuple

import torch
from fvcore.nn import FlopCountAnalysis
from torch import nn

from evaluators.flops import attention_flops
from evaluators.program import CONVOLUTIONS, Operator, Program
from search_spaces.payload import Payload

PASSES = {
    **dict.fromkeys(
        (
            "add", "add_", "sub", "sub_", "rsub", "mul", "mul_", "div", "div_", "neg", "exp", "sqrt", "pow", "abs",
            "round", "round_", "clamp", "clamp_", "clamp_min", "sigmoid", "sigmoid_", "hardsigmoid", "hardsigmoid_",
            "silu", "silu_", "gelu", "tanh", "softmax", "max_pool2d", "avg_pool2d", "adaptive_avg_pool2d", "mean",
            "sum", "cat", "pad", "constant_pad_nd", "pixel_shuffle", "permute", "transpose", "layer_norm", "roll",
            "upsample_nearest2d", "upsample_bilinear2d", "slice",
        ),
        1,
    ),
    "hardswish": 2,
    "hardswish_": 2,
    "group_norm": 6,
}  # fmt: skip
"""Operators without products and how often a runtime passes over their tensors. What it folds into the convolution
before (batch norms, ReLUs) is not listed and costs nothing."""
VIEWS = ("view", "reshape", "flatten", "unflatten")
"""What costs a call and moves nothing."""
IN_ANY_LAYOUT = (
    "add", "add_", "mul", "mul_", "sigmoid", "sigmoid_", "hardsigmoid", "hardsigmoid_", "cat", "max_pool2d",
    "avg_pool2d", "adaptive_avg_pool2d",
)  # fmt: skip
"""What takes tensors as convolutions leave them."""
FEWEST_IN_BLOCKS = 4
"""A convolution of fewer channels, as of an image, reads them as they are."""


def operators_of(module: nn.Module, example: Payload) -> Program:
    """Return what one run of ``module`` computes, in its order.

    Args:
        module: In eval mode.
        example: Its input for one sample, (1, ...) of each tensor.
    """
    found: list[_Traced] = []
    analysis = FlopCountAnalysis(module, (example,))
    analysis.unsupported_ops_warnings(False).uncalled_modules_warnings(False).tracer_warnings("none")
    analysis.ancestor_mode("caller")
    for name, reader in _READERS.items():
        analysis.set_op_handle(f"aten::{name}", partial(_noted, found, name, reader))
    with torch.no_grad():
        analysis.total()
    return tuple(_with_layouts(found))


class _Traced(NamedTuple):
    """An operator as it was traced: its name and the elements of its first input and of its output."""

    name: str
    operator: Operator
    read: int
    written: int


_Reader = Callable[[list[Any], list[Any]], Operator]


def _noted(found: list[_Traced], name: str, reader: _Reader, inputs: list[Any], outputs: list[Any]) -> Counter[str]:
    operator = reader(inputs, outputs)
    found.append(_Traced(name, operator, prod(_shape(inputs[0])), prod(_shape(outputs[0]))))
    return Counter({operator.kind: operator.work})


def _with_layouts(found: list[_Traced]) -> Iterator[Operator]:
    """Yield the operators, and before and behind convolutions that follow one another the changes of layout."""
    in_blocks, size = False, 0
    for name, operator, read, written in found:
        convolution = operator.kind in CONVOLUTIONS
        if convolution and not in_blocks and operator.channels[0] >= FEWEST_IN_BLOCKS:
            yield Operator("layout", 2 * read)
        if in_blocks and not convolution and name not in IN_ANY_LAYOUT:
            yield Operator("layout", 2 * size)
            in_blocks = False
        yield operator
        in_blocks, size = in_blocks or convolution, written
    if in_blocks:
        yield Operator("layout", 2 * size)


def _shape(value: Any) -> list[int]:
    """Return a traced value's shape; empty where it is no tensor."""
    kind = value.type()
    return list(kind.sizes() or []) if kind.isSubtypeOf(torch._C.TensorType.get()) else []


def _convolution(inputs: list[Any], outputs: list[Any]) -> Operator:
    (_, channels, *_), (_, inside, *sides), out = map(_shape, (*inputs[:2], outputs[0]))
    work = prod(out) * inside * prod(sides)
    if inside == 1 and channels > 1:
        return Operator("depthwise", work, (out[1],))
    return Operator("pointwise" if prod(sides) == 1 else "conv", work, (inside, out[1]))


def _product(kind: str, left: int, inputs: list[Any], outputs: list[Any]) -> Operator:
    """Read a matrix product whose left factor is input ``left``."""
    return Operator(kind, prod(_shape(outputs[0])) * _shape(inputs[left])[-1])


def _attention(inputs: list[Any], outputs: list[Any]) -> Operator:
    return Operator("matmul", sum(attention_flops(inputs, outputs).values()), passes=3)


def _elementwise(passes: int, inputs: list[Any], outputs: list[Any]) -> Operator:
    # What has one value a channel, or one, is read from the cache.
    size = prod(_shape(outputs[0]))
    read = max((prod(shape) for shape in map(_shape, inputs) if shape), default=size)
    return Operator("elementwise", (size + read) * passes, passes=passes)


def _view(inputs: list[Any], outputs: list[Any]) -> Operator:
    return Operator("elementwise", 0)


_READERS: dict[str, _Reader] = {
    "_convolution": _convolution,
    "linear": partial(_product, "linear", 0),
    "addmm": partial(_product, "linear", 1),
    "matmul": partial(_product, "matmul", 0),
    "bmm": partial(_product, "matmul", 0),
    "baddbmm": partial(_product, "matmul", 1),
    "scaled_dot_product_attention": _attention,
    **{name: partial(_elementwise, passes) for name, passes in PASSES.items()},
    **dict.fromkeys(VIEWS, _view),
}
