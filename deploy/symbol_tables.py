"""SymbolTables: one static integer frequency table a channel, shared by edge and cloud."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from deploy.errors import UserError

PRECISION = 24
"""log2 of what each row sums to; the precision of constriction's default coders."""
TOTAL = 1 << PRECISION


@dataclass(frozen=True, eq=False)
class SymbolTables:
    """How often each symbol comes in each channel, out of 2**24.

    Attributes:
        frequencies: uint32 (C, 2**bits); every entry at least 1, every row sums to 2**24.
    """

    frequencies: np.ndarray

    def __post_init__(self) -> None:
        table = self.frequencies
        if table.ndim != 2 or table.dtype != np.uint32 or not len(table):
            raise UserError("symbol tables must be uint32 of shape (channels, 2**bits); export the bundle again")
        levels = table.shape[1]
        if levels not in {2**bits for bits in range(1, 9)}:
            raise UserError(f"symbol tables have {levels} symbols, not 2**bits for bits 1 to 8")
        if table.min() < 1 or (table.sum(axis=1, dtype=np.uint64) != TOTAL).any():
            raise UserError(f"symbol tables must hold frequencies of at least 1 and sum to {TOTAL} a channel")

    @property
    def channels(self) -> int:
        """C, the number of channels."""
        return int(self.frequencies.shape[0])

    @property
    def bits(self) -> int:
        """The bit width of one symbol, 1 to 8."""
        return int(self.frequencies.shape[1]).bit_length() - 1

    @cached_property
    def fingerprint(self) -> int:
        """32 bits that tell these tables from others."""
        return zlib.crc32(self.frequencies.astype("<u4").tobytes(), self.bits)

    @classmethod
    def calibrate(cls, symbols: np.ndarray, bits: int) -> SymbolTables:
        """Count training symbols; what never came gets a share small enough to cost nothing, and stays encodable.

        Every symbol's count is raised by 1/2**bits (Perks' prior), in integers only.

        Args:
            symbols: uint8 (n, C, h, w), each below 2**bits.
            bits: Bit width, 1 to 8.

        Raises:
            ValueError: symbols of another shape or type, or too large for the bit width.
        """
        levels = 2**bits
        if symbols.ndim != 4 or symbols.dtype != np.uint8 or not 1 <= bits <= 8 or not symbols.shape[1]:
            raise ValueError(f"need uint8 (n, C, h, w) and bits 1 to 8, got {symbols.dtype} {symbols.shape}")
        if symbols.size and symbols.max() >= levels:
            raise ValueError(f"symbol {symbols.max()} does not fit into {bits} bits")
        rows = [np.bincount(channel.ravel(), minlength=levels) for channel in symbols.swapaxes(0, 1)]
        return cls(np.stack([_apportion(row.tolist()) for row in rows]))

    @classmethod
    def uniform(cls, channels: int, bits: int) -> SymbolTables:
        """Return tables under which every symbol costs ``bits`` bits."""
        return cls(np.full((channels, 2**bits), TOTAL >> bits, dtype=np.uint32))

    def cross_entropy_bits(self, symbols: np.ndarray) -> np.ndarray:
        """Return the information content of each sample in bits: symbols uint8 (n, C, h, w) -> float64 (n,)."""
        cost = PRECISION - np.log2(self.frequencies)
        flat = symbols.reshape(len(symbols), self.channels, -1)
        return np.asarray(cost[np.arange(self.channels)[None, :, None], flat].sum(axis=(1, 2)))

    def save(self, path: Path) -> None:
        """Write the tables as a ``.npy`` file of little-endian uint32."""
        with path.open("wb") as file:
            np.save(file, self.frequencies.astype("<u4"), allow_pickle=False)

    @classmethod
    def load(cls, path: Path) -> SymbolTables:
        """Read what ``save`` wrote.

        Raises:
            UserError: the file is missing or holds no such tables.
        """
        try:
            with path.open("rb") as file:
                table = np.load(file, allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise UserError(f"cannot read the symbol tables '{path}': {error}") from None
        if not isinstance(table, np.ndarray) or table.dtype.kind != "u" or table.dtype.itemsize != 4:
            raise UserError(f"'{path}' holds no uint32 symbol tables; export the bundle again")
        return cls(np.ascontiguousarray(table, dtype=np.uint32))


def _apportion(counts: list[int]) -> np.ndarray:
    levels = len(counts)
    weights = [count * levels + 1 for count in counts]
    free, whole = TOTAL - levels, sum(weights)
    shares = [1 + weight * free // whole for weight in weights]
    shares[counts.index(max(counts))] += TOTAL - sum(shares)
    return np.array(shares, dtype=np.uint32)
