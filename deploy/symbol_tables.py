"""SymbolTables: static integer frequency tables, one a channel and context, shared by edge and cloud."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from deploy.errors import UserError
from deploy.symbol_calibration import fitted
from deploy.symbol_contexts import ContextRule
from deploy.symbol_frequencies import PRECISION, TOTAL

_RULE: dict[str, type[np.integer]] = {"modes": np.uint8, "weights": np.int8, "spread": np.int32, "lean": np.int32}
_DTYPES: dict[str, type[np.integer]] = {"frequencies": np.uint32, **_RULE}


@dataclass(frozen=True, eq=False)
class SymbolTables:
    """How often each symbol comes in each channel and context, out of 2**24.

    Attributes:
        frequencies: uint32 (C, K, 2**bits); every entry at least 1, every row sums to 2**24.
        rule: Which of the K contexts holds at a symbol.
    """

    frequencies: np.ndarray
    rule: ContextRule

    def __post_init__(self) -> None:
        self._check_frequencies()
        channels, contexts, levels = self.frequencies.shape
        if self.rule.modes.shape != (channels,) or self.rule.modes.max() >= levels:
            raise UserError("symbol tables need one symbol a channel as its mode; export the bundle again")
        if self.rule.contexts != contexts:
            raise UserError(
                f"symbol tables need {self.rule.contexts} contexts, not {contexts}; export the bundle again"
            )

    def _check_frequencies(self) -> None:
        table = self.frequencies
        if table.ndim != 3 or table.dtype != np.uint32 or not len(table):
            raise UserError(
                "symbol tables must be uint32 of shape (channels, contexts, 2**bits); export the bundle again"
            )
        if table.shape[2] not in {2**bits for bits in range(1, 9)}:
            raise UserError(f"symbol tables have {table.shape[2]} symbols, not 2**bits for bits 1 to 8")
        if (table.size and table.min() < 1) or (table.sum(axis=2, dtype=np.uint64) != TOTAL).any():
            raise UserError(f"symbol tables must hold frequencies of at least 1 and sum to {TOTAL} a context")

    @property
    def channels(self) -> int:
        """C, the number of channels."""
        return int(self.frequencies.shape[0])

    @property
    def contexts(self) -> int:
        """K, the number of contexts, 1 where none pay."""
        return int(self.frequencies.shape[1])

    @property
    def bits(self) -> int:
        """The bit width of one symbol, 1 to 8."""
        return int(self.frequencies.shape[2]).bit_length() - 1

    @cached_property
    def fingerprint(self) -> int:
        """32 bits that tell these tables from others."""
        return zlib.crc32(
            self._records().tobytes(), zlib.crc32(repr((self.frequencies.shape, self.rule.lean.shape)).encode())
        )

    @classmethod
    def calibrate(cls, symbols: np.ndarray, bits: int) -> SymbolTables:
        """Count training symbols; what never came gets a share small enough to cost nothing, and stays encodable.

        A channel gets contexts only where they save more than the noise of their calibration costs
        (``symbol_calibration``).

        Args:
            symbols: uint8 (n, C, h, w), each below 2**bits.
            bits: Bit width, 1 to 8.

        Raises:
            ValueError: symbols of another shape or type, or too large for the bit width.
        """
        if symbols.ndim != 4 or symbols.dtype != np.uint8 or not 1 <= bits <= 8 or not symbols.shape[1]:
            raise ValueError(f"need uint8 (n, C, h, w) and bits 1 to 8, got {symbols.dtype} {symbols.shape}")
        if symbols.size and symbols.max() >= 2**bits:
            raise ValueError(f"symbol {symbols.max()} does not fit into {bits} bits")
        return cls(*fitted(symbols, 2**bits))

    @classmethod
    def uniform(cls, channels: int, bits: int) -> SymbolTables:
        """Return tables under which every symbol costs ``bits`` bits."""
        frequencies = np.full((channels, 1, 2**bits), TOTAL >> bits, dtype=np.uint32)
        return cls(frequencies, ContextRule.blank(np.zeros(channels, dtype=np.uint8)))

    def contexts_of(self, symbols: np.ndarray) -> np.ndarray:
        """Return the context of every symbol: uint8 (n, C, h, w) -> uint8 (n, C, h, w)."""
        return self.rule.contexts_of(symbols)

    def cross_entropy_bits(self, symbols: np.ndarray) -> np.ndarray:
        """Return the information content of each sample in bits: symbols uint8 (n, C, h, w) -> float64 (n,)."""
        cost = PRECISION - np.log2(self.frequencies)
        channel = np.arange(self.channels)[:, None, None]
        return np.asarray(cost[channel, self.contexts_of(symbols), symbols].sum(axis=(1, 2, 3)))

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Return the tables as arrays by name; ``from_arrays`` takes them back."""
        return {"frequencies": self.frequencies, **{name: getattr(self.rule, name) for name in _RULE}}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> SymbolTables:
        """Build tables from integer arrays by name, of any width that holds the values.

        Raises:
            UserError: an array is missing, or the arrays are no such tables.
        """
        found = {name: _integers(name, arrays.get(name)) for name in _DTYPES}
        return cls(found["frequencies"], ContextRule(**{name: found[name] for name in _RULE}))

    def save(self, path: Path) -> None:
        """Write the tables as a ``.npy`` file: one record of little-endian integers a channel."""
        with path.open("wb") as file:
            np.save(file, self._records(), allow_pickle=False)

    @classmethod
    def load(cls, path: Path) -> SymbolTables:
        """Read what ``save`` wrote.

        Raises:
            UserError: the file is missing or holds no such tables.
        """
        try:
            with path.open("rb") as file:
                records = np.lib.format.read_array(file, allow_pickle=False)
        except (OSError, ValueError, EOFError, MemoryError) as error:
            raise UserError(f"cannot read the symbol tables '{path}': {error}") from None
        if records.ndim != 1 or set(records.dtype.names or ()) != set(_DTYPES):
            raise UserError(f"'{path}' holds no symbol tables of this version; export the bundle again")
        return cls.from_arrays({name: records[name] for name in _DTYPES})

    def _records(self) -> np.ndarray:
        arrays = self.to_arrays()
        fields = [(name, array.dtype.newbyteorder("<"), array.shape[1:]) for name, array in arrays.items()]
        records = np.zeros(self.channels, dtype=fields)
        for name, array in arrays.items():
            records[name] = array
        return records


def _integers(name: str, array: np.ndarray | None) -> np.ndarray:
    if array is None:
        raise UserError(f"symbol tables lack their {name}; export the bundle again")
    limits = np.iinfo(_DTYPES[name])
    if array.dtype.kind not in "ui" or (array.size and (array.min() < limits.min or array.max() > limits.max)):
        raise UserError(f"symbol tables need integers below {limits.max + 1} as {name}; export the bundle again")
    return np.ascontiguousarray(array, dtype=_DTYPES[name])
