"""Whether a configuration's edge FLOPs are fvcore's count on its exported edge module, exactly.

    python benchmarks/flops.py runs detection --onnx

On every member that a finished run kept (search weights and finalists): its edge module, the one that export
hands to the ONNX writer, is counted once more by fvcore directly and compared with the figure that the run
recorded. ``--onnx`` also exports each one and counts the multiply-adds of the convolutions and matrix products in
the ONNX file, which must equal fvcore's count of these operators (fvcore also counts pooling and
normalisation, which a runtime folds away or not). Target: all equal. Exit code 1 where one is not.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from math import prod
from pathlib import Path

import onnx
import torch
from fvcore.nn import FlopCountAnalysis
from members import Member, kept_run
from report import Cell, Table, emit
from torch import nn

from results.onnx_export import write_onnx

PRODUCTS = ("conv", "linear", "addmm", "matmul", "bmm", "einsum")


def fvcore_count(module: nn.Module, example: torch.Tensor) -> tuple[int, int]:
    """Return fvcore's multiply-adds of one run, and those of convolutions and matrix products alone."""
    analysis = FlopCountAnalysis(module, example)
    analysis.unsupported_ops_warnings(False).uncalled_modules_warnings(False).tracer_warnings("none")
    return int(analysis.total()), int(sum(analysis.by_operator()[name] for name in PRODUCTS))


def onnx_count(module: nn.Module, example: torch.Tensor) -> int:
    """Return the multiply-adds of the convolutions and matrix products in the module's ONNX file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "edge.onnx"
        write_onnx(module, example, path)
        model = onnx.load(str(path))
    # The free batch size is given back its number, so that every shape is known.
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1
    model.graph.ClearField("value_info")
    for output in model.graph.output:
        output.type.tensor_type.ClearField("shape")
    graph = onnx.shape_inference.infer_shapes(model, data_prop=True).graph
    shapes = {each.name: tuple(each.dims) for each in graph.initializer}
    for value in (*graph.input, *graph.value_info, *graph.output):
        shapes[value.name] = tuple(dim.dim_value for dim in value.type.tensor_type.shape.dim)
    return sum(_products(node, shapes) for node in graph.node)


def _products(node: onnx.NodeProto, shapes: dict[str, tuple[int, ...]]) -> int:
    if node.op_type == "Conv":
        return prod(shapes[node.output[0]]) * prod(shapes[node.input[1]][1:])
    if node.op_type == "Gemm":
        transposed = any(each.name == "transB" and each.i for each in node.attribute)
        return prod(shapes[node.output[0]]) * shapes[node.input[1]][1 if transposed else 0]
    if node.op_type == "MatMul":
        return prod(shapes[node.output[0]]) * shapes[node.input[0]][-1]
    return 0


def row(member: Member, example: torch.Tensor, with_onnx: bool) -> tuple[Cell, ...]:
    """Return one member's counts and whether they agree."""
    edge = member.candidate.derived.edge
    assert edge is not None
    counted, products = fvcore_count(edge, example)
    exported = onnx_count(edge, example) if with_onnx else None
    equal = counted == member.measured.edge_flops and exported in (None, products)
    recorded = int(member.measured.edge_flops)
    return member.record.number, member.weights, recorded, counted, products, exported, equal


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", type=Path)
    parser.add_argument("name")
    parser.add_argument("--onnx", action="store_true", help="Count in the exported files as well.")
    parser.add_argument("--json", action="store_true", help="Print unrounded JSON.")
    options = parser.parse_args()
    run = kept_run(options.root, options.name)
    rows = tuple(row(member, run.plan.example, options.onnx) for member in run.members())
    equal = sum(bool(each[-1]) for each in rows)
    columns = ("trial", "weights", "recorded", "fvcore", "of it products", "ONNX products", "equal")
    verdict = Table("Edge FLOPs", ("figure", "target", "measured"), (("members equal", len(rows), equal),))
    emit([verdict, Table("Each member", columns, rows)], options.json)
    return 0 if equal == len(rows) else 1


if __name__ == "__main__":
    sys.exit(main())
