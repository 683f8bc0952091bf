"""Symbol calibration: training symbols to integer frequencies, with as many contexts as pay.

```
one phase: the even samples -> weights of lean and spread (symbol_weights)
           quantiles of the spread -> grades; in each grade quantiles of the lean -> places
one channel of it: each of SHAPES is tried on either half of the samples with tables counted on the other half
                   -> the cheapest, if it saves MARGIN and EVIDENCE bits on both halves; otherwise no contexts
```

Samples, not positions, are split in halves: positions of one sample are alike, and would vouch for each other. The
odd half vouches for the weights too, which never saw it. A gain of EVIDENCE bits on samples that were not counted
has a chance of 2**-EVIDENCE where contexts say nothing.
"""

from __future__ import annotations

import numpy as np

from deploy.symbol_board import PHASES, board_of
from deploy.symbol_contexts import MAX_GRADES, MAX_PLACES, UNUSED, ContextRule, features, scored
from deploy.symbol_frequencies import PRIOR, tables_of
from deploy.symbol_weights import fitted_weights

MARGIN = 0.01
"""The share of the code length that contexts must save on samples that were not counted."""
EVIDENCE = 16.0
"""The bits that they must save there; it rules where there is little to save, or little to learn from."""
SHAPES = ((2, 1), (4, 1), (MAX_GRADES, 1), (MAX_GRADES, MAX_PLACES))
"""The numbers of grades and places that are tried; places are told apart in the finest grades alone."""
RANKED = 64
"""Samples, about, that thresholds are found on, because sorting all of them would find nearly the same."""

Shape = tuple[int, int]


def fitted(symbols: np.ndarray, levels: int) -> tuple[np.ndarray, ContextRule]:
    """Return frequencies uint32 (C, K, levels) and the rule that tells their K contexts.

    Args:
        symbols: uint8 (n, C, h, w), each below ``levels``.
        levels: 2**bits.
    """
    samples, channels, height, width = symbols.shape
    rows = np.ascontiguousarray(symbols.swapaxes(0, 1)).reshape(channels, samples, height * width)
    modes = _counts(rows, np.zeros_like(rows), 1, levels)[:, 0].argmax(axis=1).astype(np.uint8)
    finest, contexts = _finest(symbols, modes)
    halves = [_counts(rows[:, half::2], contexts[:, half::2], finest.contexts, levels) for half in range(2)]
    cells = np.stack(halves)[:, :, 1:].reshape(2, channels, PHASES, MAX_GRADES, MAX_PLACES, levels)
    own = cells.sum(axis=(2, 3, 4))
    shapes = [[_shape(cells[:, c, phase], own[:, c]) for phase in range(PHASES)] for c in range(channels)]
    rule = _coarser(finest, shapes)
    return tables_of(_rows(cells.sum(axis=0), shapes, rule)), rule


def _finest(symbols: np.ndarray, modes: np.ndarray) -> tuple[ContextRule, np.ndarray]:
    """Return the rule with the most contexts in every channel, and each symbol's, uint8 (C, n, h * w)."""
    samples, channels, height, width = symbols.shape
    rule, board = ContextRule.blank(modes, MAX_GRADES, MAX_PLACES), board_of(height, width)
    scores = []
    for phase, seen in enumerate(features(symbols, modes, board)):
        rule.weights[:, phase] = fitted_weights(seen[:, :, ::2], phase)
        scores.append(scored(seen, rule.weights[:, phase]))
        ranked = scores[phase][:, :, :: max(1, samples // RANKED)]
        rule.spread[:, phase], rule.lean[:, phase] = _thresholds(ranked)
    contexts = np.zeros((channels, samples, height * width), dtype=np.uint8)
    for phase, field in enumerate(board.fields):
        contexts[..., field] = rule.placed(scores[phase], phase, slice(None))
    return rule, contexts


def _thresholds(scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return what parts scores into cells alike in size.

    Args:
        scores: Leans and spreads, int32 (2, C, n, P).

    Returns:
        Thresholds of the spread (C, MAX_GRADES - 1), and of each grade's lean (C, MAX_GRADES, MAX_PLACES - 1).
    """
    leans, spreads = scores.reshape(2, scores.shape[1], scores.shape[2] * scores.shape[3])
    spread = np.stack([_quantiles(each, MAX_GRADES) for each in spreads])
    grades = [np.searchsorted(*each) for each in zip(spread, spreads, strict=True)]
    return spread, np.stack(
        [
            [_quantiles(lean[grade == each], MAX_PLACES) for each in range(MAX_GRADES)]
            for lean, grade in zip(leans, grades, strict=True)
        ]
    )


def _quantiles(values: np.ndarray, parts: int) -> np.ndarray:
    """Return the values that part others into ``parts`` alike in number, (parts - 1,)."""
    if not len(values):
        return np.full(parts - 1, UNUSED - 1, dtype=np.int32)
    return np.asarray(np.sort(values)[len(values) * np.arange(1, parts) // parts])


def _shape(cells: np.ndarray, own: np.ndarray) -> Shape:
    """Return how many grades and places pay in one phase of a channel, (1, 1) where none do.

    Args:
        cells: Counts of the symbols in each half of the samples and cell, (2, MAX_GRADES, MAX_PLACES, levels).
        own: The channel's counts in each half, (2, levels).
    """
    whole = ((own + 1 / own.shape[1]) / (own.sum(axis=1, keepdims=True) + 1))[::-1, None]
    alone = _bits(_merged(cells, (1, 1)), whole)
    affordable = np.minimum((1 - MARGIN) * alone, alone - EVIDENCE)
    chosen, cost = (1, 1), float(affordable.sum())
    for shape in SHAPES:
        mine = _merged(cells, shape)
        other = mine[::-1]
        bits = _bits(mine, (other + PRIOR * whole) / (other.sum(axis=2, keepdims=True) + PRIOR))
        if (bits <= affordable).all() and bits.sum() <= cost:
            chosen, cost = shape, float(bits.sum())
    return chosen


def _bits(counts: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Return the code length in bits of each half under probabilities: (2, K, levels) twice -> (2,)."""
    return np.asarray(-(counts * np.log2(shares)).sum(axis=(1, 2)))


def _merged(cells: np.ndarray, shape: Shape) -> np.ndarray:
    """Return the counts in fewer cells: (n, MAX_GRADES, MAX_PLACES, levels) -> (n, grades * places, levels)."""
    grades, places = shape
    split = cells.reshape(len(cells), grades, MAX_GRADES // grades, places, MAX_PLACES // places, -1)
    return np.asarray(split.sum(axis=(2, 4)).reshape(len(cells), grades * places, -1))


def _coarser(finest: ContextRule, shapes: list[list[Shape]]) -> ContextRule:
    """Return the rule of the shapes that pay, by channel and phase, with no more room than they need."""
    rule = ContextRule.blank(finest.modes, *np.max(shapes, axis=(0, 1)).tolist())
    for channel, pair in enumerate(shapes):
        for phase, (grades, places) in enumerate(pair):
            if grades > 1:
                step, at = MAX_GRADES // grades, (channel, phase)
                rule.weights[at] = finest.weights[at]
                rule.spread[at][: grades - 1] = finest.spread[at][step - 1 :: step]
                rule.lean[at][:grades, : places - 1] = finest.lean[at][:grades, : places - 1]
    return rule


def _rows(cells: np.ndarray, shapes: list[list[Shape]], rule: ContextRule) -> np.ndarray:
    """Return the counts in each of a rule's contexts.

    Args:
        cells: Counts of all samples, (C, 2, MAX_GRADES, MAX_PLACES, levels).
        shapes: What the rule has of the cells, by channel and phase.
        rule: The rule.

    Returns:
        int64 (C, K, levels).
    """
    rows = np.zeros((len(cells), rule.contexts, cells.shape[-1]), dtype=np.int64)
    for channel, pair in enumerate(shapes):
        for phase, shape in enumerate(pair):
            merged = _merged(cells[channel, phase][None], shape)[0]
            contexts = rule.numbers(phase)[: shape[0], : shape[1]] if shape[0] > 1 else np.zeros(1, dtype=int)
            rows[channel, contexts.ravel()] += merged
    return rows


def _counts(symbols: np.ndarray, contexts: np.ndarray, number: int, levels: int) -> np.ndarray:
    """Return how often each symbol comes: uint8 (C, n, P) and their contexts -> int64 (C, number, levels)."""
    rows = np.arange(len(symbols))[:, None, None] * number + contexts
    counts = np.bincount((rows * levels + symbols).ravel(), minlength=len(symbols) * number * levels)
    return counts.reshape(len(symbols), number, levels)
