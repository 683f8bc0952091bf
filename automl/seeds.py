"""Seeds: every random choice of a study follows from its one seed, in every process alike."""

from __future__ import annotations

import hashlib
import json
from typing import Any


def derived(seed: int, *parts: Any) -> int:
    """Return a seed in [0, 2**32) from a study's seed and JSON parts, the same in every process."""
    text = json.dumps([seed, *parts], sort_keys=True)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")


def trial_seed(seed: int) -> int:
    """Return the seed that every trial of a study learns under.

    All learn from the same batches: configurations are compared on equal luck, and the cloud model answers each
    batch once.
    """
    return derived(seed, "trial")


def ask_seed(seed: int, index: int) -> int:
    """Return the seed of the sampler that is asked for place ``index`` of the sequence."""
    return derived(seed, "ask", index)
