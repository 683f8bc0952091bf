"""Symbol calibration: training symbols to integer frequencies, with as many contexts as pay.

```
one channel: quantiles of the activity -> thresholds for 2, 3 or 4 contexts
             each is tried on either half of the samples with tables counted on the other half
             -> the cheapest, if it saves MARGIN and EVIDENCE bits on both halves; otherwise one table
```

Samples, not positions, are split in halves: positions of one sample are alike, and would vouch for each other. A
gain of EVIDENCE bits on samples that were not counted has a chance of 2**-EVIDENCE where contexts say nothing.
"""

from __future__ import annotations

import numpy as np

from deploy.symbol_contexts import MAX_CONTEXTS, UNUSED, contexts_of, deviation

PRECISION = 24
"""log2 of what each row sums to; the precision of constriction's default coders."""
TOTAL = 1 << PRECISION
PRIOR = 8
"""How many symbols the channel's own table weighs in the table of a context."""
MARGIN = 0.01
"""The share of the code length that contexts must save on samples that were not counted."""
EVIDENCE = 16.0
"""The bits that they must save there; it rules where there is little to save, or little to learn from."""


def fitted(symbols: np.ndarray, levels: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return frequencies uint32 (C, K, levels), thresholds int32 (C, K - 1) and modes uint8 (C,).

    Args:
        symbols: uint8 (n, C, P), each below ``levels``.
        levels: 2**bits.
    """
    samples, channels, positions = symbols.shape
    activity = np.zeros((samples, positions), dtype=np.int32)
    thresholds = np.full((channels, MAX_CONTEXTS - 1), UNUSED, dtype=np.int32)
    modes, rows = np.zeros(channels, dtype=np.uint8), []
    for channel in range(channels):
        mine = symbols[:, channel]
        chosen = _thresholds(mine, activity, levels)
        thresholds[channel, : len(chosen)] = chosen
        counts = _counts(mine, contexts_of(activity, chosen), MAX_CONTEXTS, levels)
        rows.append(tables_of(counts))
        modes[channel] = counts.sum(axis=0).argmax()
        activity += deviation(mine, modes[channel])
    contexts = 1 + int((thresholds < UNUSED).sum(axis=1).max())
    return np.stack(rows)[:, :contexts], thresholds[:, : contexts - 1], modes


def tables_of(counts: np.ndarray) -> np.ndarray:
    """Return a table for each row of counts, (K, levels) -> uint32 (K, levels); what never came stays encodable.

    The channel's own table raises every symbol's count over all contexts by 1/levels (Perks' prior). It in turn
    counts as PRIOR symbols in every context, so a context with few samples comes close to it. In integers only.
    """
    levels = counts.shape[1]
    whole = _apportion([count * levels + 1 for count in counts.sum(axis=0).tolist()])
    if (counts > 0).any(axis=1).sum() < 2:
        return np.tile(np.array(whole, dtype=np.uint32), (len(counts), 1))
    prior = [PRIOR * share for share in whole]
    rows = [[n * TOTAL + share for n, share in zip(row, prior, strict=True)] for row in counts.tolist()]
    return np.array([_apportion(row) for row in rows], dtype=np.uint32)


def _thresholds(symbols: np.ndarray, activity: np.ndarray, levels: int) -> np.ndarray:
    """Return the thresholds of one channel, none where contexts do not pay."""
    chosen: tuple[int, ...] = ()
    candidates = _candidates(activity)
    if candidates:
        alone = _held_out_bits(symbols, activity, chosen, levels)
        affordable = np.minimum((1 - MARGIN) * alone, alone - EVIDENCE)
        cost = float(affordable.sum())
        for candidate in candidates:
            bits = _held_out_bits(symbols, activity, candidate, levels)
            if (bits <= affordable).all() and bits.sum() <= cost:
                chosen, cost = candidate, float(bits.sum())
    return np.array(chosen, dtype=np.int32)


def _candidates(activity: np.ndarray) -> list[tuple[int, ...]]:
    """Return the quantiles that part positions into 2, 3 and 4 contexts alike in size; equal ones are dropped."""
    ordered = np.sort(activity, axis=None)
    if not len(ordered) or ordered[0] == ordered[-1]:
        return []
    found = set()
    for contexts in range(2, MAX_CONTEXTS + 1):
        quantiles = ordered[[len(ordered) * k // contexts for k in range(1, contexts)]]
        found.add(tuple(sorted({int(quantile) for quantile in quantiles if quantile < ordered[-1]})))
    return sorted(found - {()})


def _held_out_bits(
    symbols: np.ndarray, activity: np.ndarray, thresholds: tuple[int, ...], levels: int
) -> np.ndarray:
    """Return the code length in bits of each half of the samples under tables counted on the other half, (2,)."""
    contexts = contexts_of(activity, np.array(thresholds, dtype=np.int32))
    even, odd = (_counts(symbols[half::2], contexts[half::2], len(thresholds) + 1, levels) for half in range(2))
    return np.array([_bits(even, tables_of(odd)), _bits(odd, tables_of(even))])


def _bits(counts: np.ndarray, tables: np.ndarray) -> float:
    return float((counts * (PRECISION - np.log2(tables))).sum())


def _counts(symbols: np.ndarray, contexts: np.ndarray, number: int, levels: int) -> np.ndarray:
    index = contexts.astype(np.int32) * levels + symbols
    return np.bincount(index.ravel(), minlength=number * levels).reshape(number, levels)


def _apportion(weights: list[int]) -> list[int]:
    """Share TOTAL out in proportion to the weights, at least 1 each."""
    free, whole = TOTAL - len(weights), sum(weights)
    shares = [1 + weight * free // whole for weight in weights]
    shares[weights.index(max(weights))] += TOTAL - sum(shares)
    return shares
