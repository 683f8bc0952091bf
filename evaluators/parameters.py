"""Parameters: how many weights a part holds."""

from __future__ import annotations

from torch import nn

from evaluators.subject import Subject


def parameters(module: nn.Module) -> int:
    """Return the number of parameters of ``module``; shared ones count once."""
    return sum(parameter.numel() for parameter in module.parameters())


class EdgeParams:
    """Parameters that the edge holds."""

    name = "edge_params"

    def measure(self, subject: Subject) -> float:
        """Return a number of parameters."""
        return 0.0 if subject.edge is None else float(parameters(subject.edge))
