"""Session: one ONNX file, run by onnxruntime on the CPU."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime

from deploy.cores import available_cores
from deploy.errors import UserError, first_line


class Session:
    """Runs one of a bundle's programs.

    Args:
        path: The ONNX file.
        threads: Threads inside one operation; all cores that it may use when left out.
        arity: How many inputs and outputs it must have; any where None.

    Raises:
        UserError: onnxruntime cannot load it, or it has other inputs and outputs.
    """

    def __init__(self, path: Path, threads: int | None = None, arity: tuple[int, int] | None = None) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads or available_cores()
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime's own errors share no narrower base
            reason = first_line(error)
            raise UserError(f"onnxruntime {onnxruntime.__version__} cannot load '{path}': {reason}") from None
        self._path, self._inputs = path, [each.name for each in self._session.get_inputs()]
        found = (len(self._inputs), len(self._session.get_outputs()))
        if arity not in (None, found):
            raise UserError(f"'{path}' has {found} inputs and outputs, not {arity} as the manifest says")

    def run(self, *arrays: np.ndarray) -> tuple[np.ndarray, ...]:
        """Return the program's outputs for its input arrays, batch first.

        Raises:
            UserError: the program does not take such arrays.
        """
        try:
            return tuple(self._session.run(None, dict(zip(self._inputs, arrays, strict=True))))
        except Exception as error:  # onnxruntime's own errors share no narrower base
            reason = first_line(error)
            raise UserError(f"onnxruntime {onnxruntime.__version__} cannot run '{self._path}': {reason}") from None


def normalised(image: np.ndarray) -> np.ndarray:
    """Return what a model reads of a uint8 image (H, W, 3): float32 (1, 3, H, W) in 0..1."""
    return np.ascontiguousarray(image.transpose(2, 0, 1)[None], dtype=np.float32) / np.float32(255)
