"""Quality: the task's own metric."""

from __future__ import annotations

from evaluators.subject import Subject


class Quality:
    """mAP or top-1 over the split."""

    name = "quality"

    def measure(self, subject: Subject) -> float:
        """Return the task's metric, 0 to 1."""
        return subject.task.quality(subject.outcome.predictions, subject.outcome.targets)
