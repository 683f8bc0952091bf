"""Seeds: every random choice of a study follows from its one seed, in every process alike."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from search_spaces.config import Config


def derived(seed: int, *parts: Any) -> int:
    """Return a seed in [0, 2**32) from a study's seed and JSON parts, the same in every process."""
    text = json.dumps([seed, *parts], sort_keys=True)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")


def trial_seed(seed: int, config: Config) -> int:
    """Return the seed of a trial: it depends on the study's seed and the canonical Config alone."""
    return derived(seed, "trial", config.to_params())


def ask_seed(seed: int, index: int) -> int:
    """Return the seed of the sampler that is asked when ``index`` search trials are done."""
    return derived(seed, "ask", index)
