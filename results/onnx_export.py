"""One torch module to one ONNX file."""

from __future__ import annotations

import contextlib
import copy
import io
import logging
import warnings
from collections.abc import Iterator
from pathlib import Path

import onnx
import torch
from torch import nn

from search_spaces.payload import Payload, payload_of, tensors_of

OPSET = 18
_NOISY = ("torch.onnx", "onnxscript", "onnx_ir", "torch.export")


def write_onnx(module: nn.Module, sample: Payload, path: Path) -> None:
    """Export a module by torch's exporter; the batch size stays free wherever the module leaves it free.

    Args:
        module: Takes one payload; exported in eval mode.
        sample: One input, (1, ...) of each tensor, each an input of the program.
        path: The ONNX file, weights inside.
    """
    still = copy.deepcopy(module).cpu().eval()
    # A batch of one is always taken for a constant; two tell the exporter what may vary.
    _export(still, payload_of(torch.cat([tensor, tensor]) for tensor in tensors_of(sample)), path, free=True)
    if _batch(path) == 2:
        _export(still, sample, path, free=False)


def _export(module: nn.Module, sample: Payload, path: Path, free: bool) -> None:
    names = [f"input{i or ''}" for i in range(len(tensors_of(sample)))]
    free_batch = {0: torch.export.Dim.AUTO}
    each = tuple(free_batch for _ in names) if isinstance(sample, tuple) else free_batch
    shapes = (each,) if free else None
    with _quiet(), torch.no_grad():
        torch.onnx.export(
            module,
            (sample,),
            str(path),
            dynamo=True,
            dynamic_shapes=shapes,
            external_data=False,
            verbose=False,
            input_names=names,
            opset_version=OPSET,
        )


def _batch(path: Path) -> int:
    """Return the input's fixed batch size, 0 where it is free."""
    shape = onnx.load(str(path), load_external_data=False).graph.input[0].type.tensor_type.shape
    return int(shape.dim[0].dim_value)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Silence the exporter's progress and advice; its errors are exceptions and still come through."""
    levels = {name: logging.getLogger(name).level for name in _NOISY}
    for name in _NOISY:
        logging.getLogger(name).setLevel(logging.ERROR)
    try:
        with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)
