"""Accelerator: the device that trains and runs the models."""

from __future__ import annotations

import torch

from deploy.errors import UserError, first_line
from search_spaces.placement import CPU

VALID = "give auto, cpu or cuda"


def accelerator(name: str) -> torch.device:
    """Return the device of a name: ``auto`` is CUDA where torch finds some, else the CPU.

    A run that was made on a device which is not there keeps its name, and can be read, exported and verified.

    Raises:
        UserError: no name of a device that models can lie on.
    """
    if name == "auto":
        return torch.device("cuda") if torch.cuda.is_available() else CPU
    try:
        device = torch.device(name)
    except RuntimeError:
        raise UserError(f"--device {name}: there is no such device; {VALID}") from None
    if device.type == "meta":
        raise UserError(f"--device {name}: it holds no numbers; {VALID}")
    return CPU if device.type == "cpu" else device


def make_ready(device: torch.device) -> None:
    """Check that a device is there, and let it compute as exactly as the CPU does.

    Raises:
        UserError: it is not there, or cannot be used.
    """
    if device == CPU:
        return
    try:
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise UserError(f"--device {device}: torch cannot use it here ({first_line(error)}); {VALID}") from None
    # What is measured is to be what the exported programs do, whose float32 is whole.
    torch.backends.cudnn.allow_tf32 = False
