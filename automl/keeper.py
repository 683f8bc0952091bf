"""Keeper: the weights of the front's members on disk, and of nobody else."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from automl.tensor_file import DamagedError, load_tensors, save_tensors
from automl.trial import Candidate
from deploy.digest import digest
from deploy.symbol_tables import SymbolTables
from search_spaces.config import Config
from search_spaces.supernet import Supernet

_MODEL = "model."
_CONFIG = "config"
_THRESHOLDS = "thresholds"
KEY_DIGITS = 16


class Keeper:
    """Keeps candidates by Config, as the search measured them and as finalists; a gate's curve has one file.

    Args:
        folder: Where the files lie.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, config: Config, finalist: bool = False) -> Path:
        """Return the file that holds a Config's weights, and those of all on its curve."""
        return self._folder / f"{'finalist' if finalist else 'trial'}-{_key(config)}.safetensors"

    def save(self, candidates: Sequence[Candidate], finalist: bool = False) -> None:
        """Write the weights and symbol tables that candidates of one curve share, and each one's threshold."""
        first = candidates[0]
        tensors = {_MODEL + name: tensor for name, tensor in first.derived.state_dict().items()}
        for index, tables in enumerate(first.tables):
            arrays = tables.to_arrays().items()
            tensors |= {_tables(index) + name: torch.from_numpy(array.astype(np.int64)) for name, array in arrays}
        thresholds = [(each.derived.config.offload, each.threshold) for each in candidates]
        config = first.derived.config
        metadata = {_CONFIG: json.dumps(config.curve.to_params()), _THRESHOLDS: json.dumps(thresholds)}
        save_tensors(tensors, self.path(config, finalist), metadata)

    def load(self, config: Config, supernet: Supernet, finalist: bool = False) -> Candidate | None:
        """Return what was kept of a Config; None where nothing is, or what is there is damaged or incomplete."""
        try:
            tensors, metadata = load_tensors(self.path(config, finalist))
        except (FileNotFoundError, DamagedError):
            return None
        thresholds = dict(json.loads(metadata[_THRESHOLDS]))
        derived = supernet.derive(config)
        arrays = [_arrays(tensors, index) for index in range(len(derived.symbol_shapes))]
        if config.offload not in thresholds or not all(arrays):
            return None
        derived.load_state_dict(_part(tensors, _MODEL))
        tables = tuple(SymbolTables.from_arrays(each) for each in arrays)
        placed = derived.to(memory_format=torch.channels_last).eval()
        return Candidate(placed, tables, thresholds[config.offload])

    def drop(self, configs: Iterable[Config]) -> None:
        """Remove the searched weights of Configs and of all on their curves; finalists stay."""
        for config in configs:
            self.path(config).unlink(missing_ok=True)


def _key(config: Config) -> str:
    """Return what stands for a Config's curve in names of files."""
    return digest(config.curve.to_params())[:KEY_DIGITS]


def _tables(index: int) -> str:
    """Return what the names of a tensor's tables begin with."""
    return f"tables{index or ''}."


def _arrays(tensors: Mapping[str, Tensor], index: int) -> dict[str, np.ndarray]:
    return {name: tensor.numpy() for name, tensor in _part(tensors, _tables(index)).items()}


def _part(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
