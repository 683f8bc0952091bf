"""FLOPs: fvcore's count of multiply-adds, where what is not counted is listed and the unknown is an error."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import torch
from fvcore.nn import FlopCountAnalysis
from torch import nn

from deploy.errors import UserError
from deploy.route import Route
from evaluators.outcome import Outcome
from evaluators.subject import Subject
from search_spaces.payload import Payload

ELEMENTWISE = frozenset(
    f"aten::{name}"
    for name in (
        "add", "add_", "sub", "sub_", "rsub", "mul", "mul_", "div", "div_", "neg", "exp", "sqrt", "pow", "abs",
        "round", "round_", "floor", "ceil", "clamp", "clamp_", "clamp_min", "clamp_max", "minimum", "maximum",
        "sigmoid", "sigmoid_", "hardsigmoid", "hardsigmoid_", "silu", "silu_", "hardswish", "hardswish_", "gelu",
        "tanh", "log", "softmax", "log_softmax", "hardtanh", "hardtanh_", "relu6", "where", "pixel_shuffle", "pad",
        "constant_pad_nd", "max_pool2d", "fill_", "zeros_like", "ones_like", "mean", "sum", "stack", "repeat",
        "expand_as", "roll", "feature_dropout", "dropout", "dropout_", "unflatten", "ne", "linalg_vector_norm",
        "avg_pool2d", "topk", "amax",
    )
)  # fmt: skip
"""Operations that count zero: one pass over a tensor each, negligible beside the matrix products."""


def attention_flops(inputs: list[Any], outputs: list[Any]) -> Counter[str]:
    """Count scaled dot-product attention: two products of (..., n, d) with (..., m, d) (Vaswani et al. 2017)."""
    query, key, value = (i.type().sizes() for i in inputs[:3])
    pairs = int(torch.tensor(query[:-1]).prod()) * key[-2]
    return Counter({"attention": pairs * (query[-1] + value[-1])})


def flops(module: nn.Module, example: Payload) -> int:
    """Return fvcore's multiply-adds of one run of ``module``.

    Args:
        module: In eval mode.
        example: Its input for one sample, (1, ...) of each tensor.

    Raises:
        UserError: the module runs an operation that is neither counted nor listed as elementwise.
    """
    analysis = FlopCountAnalysis(module, (example,))
    analysis.unsupported_ops_warnings(False).uncalled_modules_warnings(False).tracer_warnings("none")
    analysis.set_op_handle("aten::scaled_dot_product_attention", attention_flops)
    # Who called is known from the trace; who owns has to be looked up for every node, for the same total.
    analysis.ancestor_mode("caller")
    with torch.no_grad():
        total = int(analysis.total())
    unknown = sorted(set(analysis.unsupported_ops()) - ELEMENTWISE)
    if unknown:
        raise UserError(
            f"cannot count the FLOPs of {unknown[0]} in {type(module).__name__}: fvcore has no handler for it and "
            "evaluators/flops.py does not list it as elementwise; add it to one of the two"
        )
    return total


class EdgeFlops:
    """Multiply-adds on the edge, the encoder included; an image codec counts zero, in the image's favour."""

    name = "edge_flops"

    def measure(self, subject: Subject) -> float:
        """Return multiply-adds a sample."""
        return 0.0 if subject.edge is None else float(flops(subject.edge, subject.image()))


class CloudFlops:
    """Multiply-adds in the cloud, the mean over the samples: those that the edge answers cost none."""

    name = "cloud_flops"

    def measure(self, subject: Subject) -> float:
        """Return multiply-adds a sample."""
        return expected_cost(cloud_costs(subject), subject.outcome)


def cloud_costs(subject: Subject) -> dict[Route, int]:
    """Return the multiply-adds in the cloud of a sample on each route that leads there."""
    return {route: flops(*program) for route, program in subject.cloud_programs().items()}


def expected_cost(costs: Mapping[Route, int], outcome: Outcome) -> float:
    """Return the mean over samples of what their routes cost."""
    return float(sum(cost * outcome.share(route) for route, cost in costs.items()))
