"""Bytes: exactly what is sent for one sample, header included."""

from __future__ import annotations

from evaluators.subject import Subject


class Bytes:
    """Mean ``len(packet)``."""

    name = "bytes"

    def measure(self, subject: Subject) -> float:
        """Return bytes a sample."""
        return float(subject.outcome.packet_bytes.mean())
