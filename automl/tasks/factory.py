"""Factory: a model of the user's own, named ``package.module:function``."""

from __future__ import annotations

import hashlib
import importlib
import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

from torch import nn

from deploy.errors import UserError

Factory = Callable[..., nn.Module]
"""Called with ``num_classes=``; returns a model of what torchvision's models take."""
NAME = re.compile(r"[\w.]+:\w+")


def is_factory(name: str) -> bool:
    """Return whether a model's name is that of a factory."""
    return NAME.fullmatch(name) is not None


def factory_of(name: str) -> Factory:
    """Return the function that builds the user's model.

    Args:
        name: ``package.module:function``; looked for among the installed packages and below the current folder.

    Raises:
        UserError: it is not found.
    """
    module = _module(name)
    found = getattr(module, name.partition(":")[2], None)
    if not callable(found):
        raise UserError(f"--model {name} cannot be loaded: {module.__name__} has no such function")
    return _checked(name, found)


def source_digest(name: str) -> str | None:
    """Return the sha256 of the code that a factory is in, its whole package; None for any other model.

    Raises:
        UserError: it is not found.
    """
    if not is_factory(name):
        return None
    digest = hashlib.sha256()
    for path in _sources(_module(name).__name__.partition(".")[0]):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _sources(package: str) -> list[Path]:
    top = sys.modules[package]
    folders = [Path(folder) for folder in getattr(top, "__path__", ())]
    files = [path for folder in folders for path in sorted(folder.rglob("*.py"))]
    return files or ([Path(top.__file__)] if top.__file__ else [])


def _module(name: str) -> ModuleType:
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.append(here)
    try:
        return importlib.import_module(name.partition(":")[0])
    except Exception as error:  # whatever a foreign module raises, the user needs its name and one line
        raise UserError(f"--model {name} cannot be loaded ({type(error).__name__}: {error})") from error


def _checked(name: str, found: Factory) -> Factory:
    def build(num_classes: int) -> nn.Module:
        try:
            model = found(num_classes=num_classes)
        except Exception as error:  # as above
            reason = f"{type(error).__name__}: {error}"
            raise UserError(f"--model {name}(num_classes={num_classes}) fails ({reason})") from error
        if not isinstance(model, nn.Module):
            raise UserError(f"--model {name} must return an nn.Module, not {type(model).__name__}")
        return model

    return build
