"""LastProcess: who worked on a run last, and how that ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from automl.owner import Owner
from automl.search import Reason


@dataclass(frozen=True)
class LastProcess:
    """The process that began or continued a run last.

    Attributes:
        owner: The process.
        reason: Why its search ended; None before the whole run has, its finalists included.
    """

    owner: Owner
    reason: Reason | None = None

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> LastProcess:
        """Build the LastProcess that ``to_dict`` wrote."""
        return cls(Owner.from_dict(values["owner"]), values["reason"])

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON."""
        return {"owner": self.owner.to_dict(), "reason": self.reason}

    @property
    def working(self) -> bool:
        """Whether it works on the run just now; of a process on another machine only its trials can tell."""
        return self.reason is None and self.owner.near and not self.owner.dead()
