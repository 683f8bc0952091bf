"""What the process of a command or of a worker sets before it loads any library."""

from __future__ import annotations

import os
import warnings

ADVICE = (FutureWarning, DeprecationWarning)


def prepare() -> None:
    """Let waiting threads spin for a short while only, and keep libraries' advice to developers from the user."""
    # OpenMP threads that spin long while they wait make everything ten times slower once another process wants a
    # core; threads that do not spin at all make small networks half as fast on a quiet machine.
    os.environ.setdefault("GOMP_SPINCOUNT", "3000")
    for advice in ADVICE:
        warnings.filterwarnings("ignore", category=advice)
    # A worker that starts anew loads the libraries before it runs anything of ours.
    os.environ.setdefault("PYTHONWARNINGS", ",".join(f"ignore::{advice.__name__}" for advice in ADVICE))
