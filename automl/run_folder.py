"""RunFolder: where everything of one run lies on disk."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

DEFAULT_ROOT = Path("runs")


@dataclass(frozen=True)
class RunFolder:
    """The files of run ``name`` below ``root``; nothing is created before it is written."""

    root: Path
    name: str

    @property
    def path(self) -> Path:
        """The run's own folder."""
        return self.root / self.name

    @property
    def database(self) -> Path:
        """The study's SQLite file."""
        return self.path / "study.db"

    @property
    def storage_url(self) -> str:
        """The study's storage as Optuna names it."""
        return f"sqlite:///{self.database.absolute()}"

    @property
    def settings(self) -> Path:
        """What the user chose."""
        return self.path / "settings.json"

    @property
    def cache(self) -> Path:
        """Cloud models and supernets, shared by all runs below the root."""
        return self.root / "cache"

    @property
    def weights(self) -> Path:
        """The weights of the front's members."""
        return self.path / "weights"
