"""Tensor files: safetensors whose content is checked, so that a damaged one is told from a good one."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from deploy.atomic import atomic
from deploy.errors import UserError


class DamagedError(Exception):
    """A tensor file that does not hold what was written."""


def save_tensors(tensors: Mapping[str, Tensor], path: Path, metadata: Mapping[str, str] | None = None) -> None:
    """Write tensors atomically, with a hash of their content; shared memory is written once a name.

    Raises:
        UserError: the disk is full.
    """
    own = {name: tensor.detach().cpu().clone().contiguous() for name, tensor in tensors.items()}
    try:
        with atomic(path) as temporary:
            save_file(own, temporary, metadata={**(metadata or {}), "sha256": _content(own)})
    except SafetensorError as error:
        raise UserError(f"cannot write {path}: {error}; free some space and run the same command again") from error


def load_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Read tensors and metadata.

    Raises:
        DamagedError: the file cannot be read or its content does not match its hash.
        FileNotFoundError: there is no such file.
    """
    if not path.exists():
        raise FileNotFoundError(path)
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            metadata = file.metadata() or {}
    except (SafetensorError, RuntimeError) as error:
        raise DamagedError(type(error).__name__) from error
    if metadata.pop("sha256", None) != _content(tensors):
        raise DamagedError("its content does not match its hash")
    return tensors, metadata


def _content(tensors: Mapping[str, Tensor]) -> str:
    content = hashlib.sha256()
    for name in sorted(tensors):
        content.update(name.encode() + tensors[name].contiguous().numpy().tobytes())
    return content.hexdigest()
