"""Digest: one short name for JSON values, the same in every process and on every machine."""

from __future__ import annotations

import hashlib
import json
from typing import Any


def digest(values: Any) -> str:
    """Return the sha256 of JSON values in 64 hexadecimal digits, whatever the order of their keys."""
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()
