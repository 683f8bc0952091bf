"""Weights: what a cloud model starts from: a file's, or those that torchvision names and downloads."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from enum import Enum
from functools import cache
from hashlib import sha256
from pathlib import Path
from urllib.error import URLError

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torchvision import models

from deploy.errors import UserError, first_line, unknown

SHOWN = 3
OLDER = (
    (r"(\.denselayer\d+\.(?:norm|conv))\.([12]\.)", r"\1\2"),
    (r"((?:inner|layer)_blocks\.\d+|_head\.conv\.\d+)\.(\w+)$", r"\1.0.\2"),
)
"""Names of DenseNet's parts, and of pyramids' and detectors' heads, before and since."""
NAMED = re.compile(r"(?:(?P<enum>\w+_Weights)\.)?(?P<member>[A-Z][A-Z0-9_]*)")
"""``ResNet18_Weights.IMAGENET1K_V1``, ``IMAGENET1K_V1`` or ``DEFAULT``."""


def with_weights(model: nn.Module, name: str, weights: str | None, class_layers: int = 1) -> nn.Module:
    """Return the model with weights; its last layers keep their own where they are for other classes.

    Args:
        model: What they are put into.
        name: What the model is called.
        weights: A .pth or .safetensors file, or a name of torchvision's; None leaves the model as it is.
        class_layers: How many layers say the classes: one, or in a detector one a level.

    Raises:
        UserError: the weights cannot be had, or are another model's.
    """
    if weights is None:
        return model
    own = model.state_dict()
    given = {_renamed(key, own): value for key, value in _read(name, weights).items()}
    fitting = {key: value for key, value in given.items() if key in own and own[key].shape == value.shape}
    strange = [key for key in given if key not in own and not key.lower().startswith("aux")]
    reshaped = [key for key in given if key in own and key not in fitting]
    missing = [key for key in own if key not in given]
    if strange or len(reshaped) > 2 * class_layers or 2 * len(fitting) < len(own):
        lists = {"not known": strange, "of another shape": reshaped, "missing": missing}
        told = "; ".join(f"{what}: {_some(keys)}" for what, keys in lists.items() if keys)
        advice = "name the model that they are of with --model" if strange or missing else "it is of another size"
        raise UserError(f"--weights {weights} are not {name}'s ({told}): {advice}")
    # With the model's own versions of its parts, which files of plain tensors lack.
    own.update(fitting)
    model.load_state_dict(own)
    return model


@cache
def weights_digest(name: str, weights: str) -> str:
    """Return what tells a model's weights from others: a file's sha256, or torchvision's name of them.

    Raises:
        UserError: torchvision has no such weights of the model.
    """
    return str(_member(name, weights)) if _is_named(weights) else sha256(Path(weights).read_bytes()).hexdigest()


def _is_named(weights: str) -> bool:
    return not Path(weights).exists() and NAMED.fullmatch(weights) is not None


def _read(name: str, weights: str) -> Mapping[str, Tensor]:
    content = _downloaded(name, weights) if _is_named(weights) else _read_file(Path(weights))
    return {key.removeprefix("module."): value for key, value in content.items()}


def _renamed(key: str, own: Collection[str]) -> str:
    """Return what a model now calls a part whose published weights are older than its name."""
    names = (re.sub(old, new, key) for old, new in OLDER) if key not in own else ()
    return next((name for name in names if name in own), key)


def _downloaded(name: str, weights: str) -> Mapping[str, Tensor]:
    member = _member(name, weights)
    try:
        state: Mapping[str, Tensor] = member.get_state_dict(progress=False, check_hash=True)
    except (URLError, OSError, RuntimeError) as error:
        raise UserError(
            f"--weights {weights}: {member.value.url} cannot be downloaded ({error}): "
            "download it where there is a network, and give the file"
        ) from error
    return state


def _member(name: str, weights: str) -> models.WeightsEnum:
    try:
        kind = models.get_model_weights(name)
    except ValueError:
        raise UserError(f"--weights {weights}: torchvision has no weights of {name}; give a file") from None
    found = NAMED.fullmatch(weights)
    assert found is not None and issubclass(kind, Enum)
    if found["enum"] not in (None, kind.__name__) or found["member"] not in kind.__members__:
        raise unknown("weights", weights, [f"{kind.__name__}.{member}" for member in kind.__members__])
    return kind[found["member"]]


def _read_file(path: Path) -> Mapping[str, Tensor]:
    try:
        content = load_file(path) if path.suffix == ".safetensors" else torch.load(path, "cpu", weights_only=True)
    except FileNotFoundError:
        raise UserError(f"--weights {path}: there is no such file") from None
    except Exception as error:  # each format's reader raises its own
        kind = "safetensors" if path.suffix == ".safetensors" else "torch.save"
        reason = ": ".join(dict.fromkeys((type(error).__name__, first_line(error))))
        raise UserError(f"--weights {path} is no file of weights that {kind} wrote ({reason})") from error
    content = content.get("state_dict", content) if isinstance(content, dict) else content
    if not isinstance(content, dict) or not all(isinstance(value, Tensor) for value in content.values()):
        raise UserError(f"--weights {path} holds no state dict: save model.state_dict()")
    return content


def _some(keys: list[str]) -> str:
    more = f" and {len(keys) - SHOWN} more" if len(keys) > SHOWN else ""
    return ", ".join(keys[:SHOWN]) + more
