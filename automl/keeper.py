"""Keeper: the weights of the front's members on disk, and of nobody else."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from automl.tensor_file import DamagedError, load_tensors, save_tensors
from automl.trial import Candidate
from deploy.symbol_tables import SymbolTables
from search_spaces.config import Config
from search_spaces.supernet import Supernet

_MODEL = "model."
_CONFIG = "config"
_THRESHOLD = "threshold"


class Keeper:
    """Keeps candidates by trial number: as the search measured them, and as finalists.

    Args:
        folder: Where the files lie.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, number: int, finalist: bool) -> Path:
        """Return the file of a trial's weights."""
        return self._folder / f"{'finalist' if finalist else 'trial'}-{number}.safetensors"

    def save(self, number: int, candidate: Candidate, finalist: bool = False) -> None:
        """Write a candidate's weights and symbol tables."""
        tensors = {_MODEL + name: tensor for name, tensor in candidate.derived.state_dict().items()}
        for index, tables in enumerate(candidate.tables):
            arrays = tables.to_arrays().items()
            tensors |= {_tables(index) + name: torch.from_numpy(array.astype(np.int64)) for name, array in arrays}
        config = json.dumps(candidate.derived.config.to_params())
        metadata = {_CONFIG: config, _THRESHOLD: repr(candidate.threshold)}
        save_tensors(tensors, self.path(number, finalist), metadata)

    def load(self, number: int, supernet: Supernet, finalist: bool = False) -> Candidate | None:
        """Return what was kept of a trial; None where nothing is, or what is there is damaged or incomplete."""
        try:
            tensors, metadata = load_tensors(self.path(number, finalist))
        except (FileNotFoundError, DamagedError):
            return None
        derived = supernet.derive(Config.from_params(json.loads(metadata[_CONFIG])))
        arrays = [_arrays(tensors, index) for index in range(len(derived.symbol_shapes))]
        if not all(arrays):
            return None
        derived.load_state_dict(_part(tensors, _MODEL))
        tables = tuple(SymbolTables.from_arrays(each) for each in arrays)
        # An older file knows no gates.
        threshold = float(metadata.get(_THRESHOLD, 0))
        return Candidate(derived.to(memory_format=torch.channels_last).eval(), tables, threshold)

    def drop(self, numbers: Collection[int]) -> None:
        """Remove the searched weights of the trials ``numbers``; finalists stay."""
        for path in self._folder.glob("trial-*.safetensors"):
            found = re.fullmatch(r"trial-(\d+)\.safetensors", path.name)
            if found and int(found[1]) in numbers:
                path.unlink(missing_ok=True)


def _tables(index: int) -> str:
    """Return what the names of a tensor's tables begin with."""
    return f"tables{index or ''}."


def _arrays(tensors: Mapping[str, Tensor], index: int) -> dict[str, np.ndarray]:
    return {name: tensor.numpy() for name, tensor in _part(tensors, _tables(index)).items()}


def _part(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
