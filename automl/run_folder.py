"""RunFolder: where everything of one run lies on disk."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

DEFAULT_ROOT = Path("runs")
DATABASE = "study.db"


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
        return self.path / DATABASE

    @property
    def begun(self) -> bool:
        """A run was started here; its study may lie in another storage than the folder's own file."""
        return self.database.exists() or self.settings.exists()

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


def runs_below(root: Path) -> list[RunFolder]:
    """Return the folder of every run below ``root``, by name."""
    folders = (RunFolder(root, path.name) for path in sorted(root.glob("*")))
    return [folder for folder in folders if folder.begun]
