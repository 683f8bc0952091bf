"""Accelerator: the device that trains and runs the models."""

from __future__ import annotations

import torch

from deploy.errors import UserError


def accelerator(name: str) -> torch.device:
    """Return the device of a name: ``auto`` is the first CUDA device where there is one, else the CPU.

    Raises:
        UserError: no such device, or it is not there.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError):
        raise UserError(f"--device {name}: torch finds no such device here; give auto, cpu or cuda") from None
    return device
