"""Bundle: one configuration as a folder that runs without torch.

```
bundle/  manifest.json          config, shapes, pre- and post-processing, metrics, versions, sha256 of every file
         edge.onnx              image (1, 3, H, W) in 0..1 -> symbols uint8; raw outputs where all is on the edge;
                                behind a gate: symbols if any are sent, raw outputs, the gate's scores
         cloud.onnx             symbols, or the image at split 0 -> raw outputs
         whole.onnx             image -> raw outputs                      (where a gate sends images)
         tables.npy             the symbol codec's integer tables         (where symbols are sent)
         tables1.npy ...        those of the second tensor and so on      (where several tensors cross)
         sample                 what the image codec's files have in common   (where images are sent)
```
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from deploy.atomic import partial_folder
from deploy.errors import UserError
from deploy.image_codec import ImageCodec, ImageSettings
from deploy.joint_codec import symbols_codec
from deploy.manifest import FileEntry, Manifest
from deploy.packet import PacketCodec
from deploy.route import Route
from deploy.symbol_tables import SymbolTables

MANIFEST = "manifest.json"
EDGE = "edge.onnx"
CLOUD = "cloud.onnx"
WHOLE = "whole.onnx"
TABLES = "tables.npy"
SAMPLE = "sample"
_FILES = re.compile(r"manifest\.json|(edge|cloud|whole)\.onnx|tables\d*\.npy|sample")


def tables_name(tensor: int) -> str:
    """Return the name of the file that holds a tensor's tables: of the first, ``tables.npy``."""
    return TABLES if tensor == 0 else f"tables{tensor}.npy"


@dataclass(frozen=True)
class Bundle:
    """A bundle on disk whose manifest and files have been checked."""

    path: Path
    manifest: Manifest

    @classmethod
    def open(cls, path: Path) -> Bundle:
        """Read the manifest and check every file's presence, size and hash.

        Raises:
            UserError: missing, tampered with, of another format, or incomplete.
        """
        manifest = _read_manifest(path)
        for name in sorted(_needed(manifest) - set(manifest.files)):
            raise UserError(f"bundle '{path}' lists no {name}; export it again")
        for name, entry in manifest.files.items():
            _check_file(path / name, entry)
        return cls(path, manifest)

    @classmethod
    def write(cls, path: Path, manifest: Manifest, fill: Callable[[Path], None]) -> Bundle:
        """Write a bundle in one step: readers see the old one, or none, until the new one is complete.

        Args:
            path: The bundle's folder; an older bundle there is replaced.
            manifest: All but ``files``.
            fill: Writes the bundle's other files into the folder it is given.

        Raises:
            UserError: ``path`` holds something else, or cannot be written.
        """
        _refuse_foreign(path)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with partial_folder(path) as building:
                fill(building)
                entries = {file.name: _entry(file) for file in sorted(building.iterdir())}
                (building / MANIFEST).write_text(replace(manifest, files=entries).to_json(), encoding="utf-8")
                _swap(building, path)
        except OSError as error:
            raise _unwritable(path, error) from error
        return cls.open(path)

    @property
    def image_settings(self) -> ImageSettings:
        """How an image is compressed."""
        config = self.manifest.config
        return ImageSettings(
            str(config["image_format"]),
            int(config["image_quality"]),
            int(config["image_resolution"]),
            self.manifest.image_size,
        )

    def program(self, route: Route) -> Path:
        """Return the file that answers what takes a route."""
        return self.path / _program(self.manifest.kind, route)

    def codecs(self) -> dict[Route, PacketCodec]:
        """Return the codec of the packets of every route that leads to the cloud; none where nothing is sent.

        Raises:
            UserError: the tables do not fit the symbols.
        """
        found = {}
        if Route.FEATURES in self.manifest.routes:
            found[Route.FEATURES] = PacketCodec(symbols_codec(self._tables(), self.manifest.symbol_shapes))
        if Route.IMAGE in self.manifest.routes:
            sample = (self.path / SAMPLE).read_bytes()
            found[Route.IMAGE] = PacketCodec(ImageCodec(self.image_settings, sample))
        return found

    def _tables(self) -> list[SymbolTables]:
        shapes, bits = self.manifest.symbol_shapes, self.manifest.bits
        tables = [SymbolTables.load(self.path / tables_name(tensor)) for tensor in range(len(shapes))]
        fitting = zip(tables, shapes, strict=True)
        if not all(each.bits == bits and each.channels == shape[0] for each, shape in fitting):
            raise UserError(f"bundle '{self.path}' has tables that do not fit its symbols; export it again")
        return tables


def _program(kind: str, route: Route) -> str:
    if route == Route.EDGE:
        return EDGE
    return WHOLE if route == Route.IMAGE and kind == "gated" else CLOUD


def _needed(manifest: Manifest) -> set[str]:
    """Return the names of the files without which a bundle cannot run."""
    programs = {_program(manifest.kind, route) for route in manifest.routes}
    edge = {EDGE} if manifest.routes != (Route.IMAGE,) else set()
    tables = set(map(tables_name, range(len(manifest.symbol_shapes))))
    return programs | edge | tables | ({SAMPLE} if Route.IMAGE in manifest.routes else set())


def _read_manifest(path: Path) -> Manifest:
    try:
        text = (path / MANIFEST).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        what = f"has no readable {MANIFEST}" if path.is_dir() else "is no folder"
        raise UserError(f"'{path}' is no bundle: it {what}; make one with: eccsearch export") from None
    try:
        return Manifest.from_json(text)
    except UserError as error:
        raise UserError(f"cannot use bundle '{path}': {error}") from None


def _unwritable(path: Path, error: OSError) -> UserError:
    return UserError(
        f"cannot write a bundle at '{path}': {error.strerror or error}; make room or choose another --out"
    )


def _entry(file: Path) -> FileEntry:
    content = file.read_bytes()
    return FileEntry(len(content), hashlib.sha256(content).hexdigest())


def _check_file(file: Path, entry: FileEntry) -> None:
    if not file.is_file():
        raise UserError(f"bundle '{file.parent}' lacks {file.name}; export it again")
    if _entry(file) != entry:
        raise UserError(f"bundle '{file.parent}': {file.name} is damaged or was changed; export it again")


def _refuse_foreign(path: Path) -> None:
    if not path.exists():
        return
    if not path.is_dir():
        raise UserError(f"'{path}' is a file; choose another --out")
    if any(path.iterdir()) and not _is_bundle(path):
        raise UserError(f"folder '{path}' is not empty and is no bundle; choose another --out")


def _is_bundle(path: Path) -> bool:
    return (path / MANIFEST).is_file() and all(_FILES.fullmatch(entry.name) for entry in path.iterdir())


def _swap(building: Path, path: Path) -> None:
    if not path.exists():
        building.rename(path)
        return
    with partial_folder(path) as old:
        path.replace(old)
        building.rename(path)
