"""Manifest: what a bundle says of itself, as ``manifest.json``."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from deploy.digest import digest
from deploy.errors import UserError
from deploy.route import Route

FORMAT = 4
"""1: a symbol's context knew its own position alone; such tables are not read any more. 2: one tensor crossed.
3: all samples took one route."""
ONE_TENSOR, ONE_ROUTE = 2, 3
"""Older formats that are read: the first one has one ``symbol_shape`` where later ones have several."""
KINDS = ("image", "features", "edge", "gated")
GATED = (["edge", "features"], ["edge", "image"], ["edge", "features", "image"])
"""The routes that a gate may choose from."""
ROUTES = {"image": (Route.IMAGE,), "features": (Route.FEATURES,), "edge": (Route.EDGE,)}
_CHECKSUM = "sha256"


@dataclass(frozen=True)
class FileEntry:
    """Size in bytes and sha256 (hexadecimal) of one file of the bundle."""

    bytes: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """Everything but weights and tables that running a bundle needs.

    Attributes:
        kind: What crosses the split point: ``image`` (split 0), ``features``, nothing, ``edge`` (split N), or what
            a gate says of each sample, ``gated``.
        task: The task's name.
        metric: What ``quality`` is: ``mAP`` or ``top-1``.
        classes: Class names, in the order of the labels.
        image_size: Height and width of the model's input.
        config: The configuration's flat parameters.
        preprocessing: How a picture becomes the model's input.
        postprocessing: How raw outputs become predictions.
        metrics: Measures by name, by data split: ``{"validation": {"quality": 0.71, ...}, "test": ...}``.
        versions: Versions of the packages that made the bundle.
        symbol_shapes: Channels, height and width of the symbols of each tensor that is sent.
        bits: Bit width of a symbol; 0 where none are sent.
        files: Size and sha256 of every other file.
        origin: Run, trial and weights that the bundle was made of; empty where no run made it.
        gate: Where there is one, its ``threshold`` and its ``routes`` by name, the cheapest first.
        format: Version of the bundle's format.
    """

    kind: str
    task: str
    metric: str
    classes: tuple[str, ...]
    image_size: tuple[int, int]
    config: Mapping[str, Any]
    preprocessing: Mapping[str, Any]
    postprocessing: Mapping[str, Any]
    metrics: Mapping[str, Mapping[str, float]]
    versions: Mapping[str, str]
    symbol_shapes: tuple[tuple[int, int, int], ...] = ()
    bits: int = 0
    files: Mapping[str, FileEntry] = field(default_factory=dict)
    origin: Mapping[str, Any] = field(default_factory=dict)
    gate: Mapping[str, Any] = field(default_factory=dict)
    format: int = FORMAT

    @property
    def routes(self) -> tuple[Route, ...]:
        """How samples are answered, the cheapest way first."""
        if self.kind != "gated":
            return ROUTES[self.kind]
        return tuple(Route[str(name).upper()] for name in self.gate["routes"])

    @property
    def threshold(self) -> float:
        """The most harm that the gate accepts; without a gate it says nothing."""
        return float(self.gate.get("threshold", 0.0))

    def to_json(self) -> str:
        """Return the manifest as JSON, with the sha256 of its own content."""
        content = asdict(self)
        return json.dumps({**content, _CHECKSUM: digest(content)}, indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Manifest:
        """Read what ``to_json`` wrote.

        Raises:
            UserError: no JSON object, another format, changed since it was written, or a field missing or wrong.
        """
        try:
            content = json.loads(text)
        except ValueError as error:
            raise UserError(f"the manifest is no JSON ({error})") from None
        if not isinstance(content, dict) or not isinstance(content.get("format"), int):
            raise UserError("the manifest is not that of a bundle")
        if content["format"] not in (ONE_TENSOR, ONE_ROUTE, FORMAT):
            remedy = "update it" if content["format"] > FORMAT else "export the bundle again"
            raise UserError(f"the bundle has format {content['format']}, this program reads {FORMAT}; {remedy}")
        if content.pop(_CHECKSUM, None) != digest(content):
            raise UserError("the manifest was changed after the export")
        return _build(_current(content))


def _current(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return a manifest's content of any format that is read in the form of this one."""
    current = dict(content)
    if content["format"] == ONE_TENSOR:
        shape = current.pop("symbol_shape", None)
        current["symbol_shapes"] = [] if shape is None else [shape]
    if content["format"] != FORMAT:
        current |= {"gate": {}, "format": FORMAT}
    return current


def _build(content: dict[str, Any]) -> Manifest:
    names = {f.name for f in fields(Manifest)}
    if names != set(content):
        raise UserError(f"the manifest's fields are wrong: {', '.join(sorted(names ^ set(content)))}")
    try:
        content["files"] = {str(name): FileEntry(**entry) for name, entry in content["files"].items()}
        for name in ("classes", "image_size"):
            content[name] = tuple(content[name])
        content["symbol_shapes"] = tuple(tuple(shape) for shape in content["symbol_shapes"])
        manifest = Manifest(**content)
    except (TypeError, AttributeError) as error:
        raise UserError(f"the manifest holds a value of the wrong type ({error})") from None
    _check(manifest)
    return manifest


def _check(manifest: Manifest) -> None:
    if manifest.kind not in KINDS:
        raise UserError(f"the manifest's kind is '{manifest.kind}', not one of {', '.join(KINDS)}")
    if len(manifest.image_size) != 2 or not all(isinstance(side, int) and side > 0 for side in manifest.image_size):
        raise UserError(f"the manifest's image size {manifest.image_size} is no height and width")
    if manifest.kind == "gated":
        _check_gate(manifest.gate)
    elif manifest.gate != {}:
        raise UserError(f"the manifest's gate is {manifest.gate!r} where all samples take one route")
    if Route.FEATURES not in manifest.routes and manifest.symbol_shapes:
        raise UserError("the manifest gives shapes of symbols but sends no features")
    if Route.FEATURES in manifest.routes and not (manifest.symbol_shapes and 1 <= manifest.bits <= 8):
        raise UserError("the manifest sends features but gives no shape or bit width of the symbols")
    unsafe = [name for name in manifest.files if not name or "/" in name or "\\" in name or name in (".", "..")]
    if unsafe:
        raise UserError(f"the manifest names the file '{unsafe[0]}' outside the bundle")


def _check_gate(gate: Any) -> None:
    if not isinstance(gate, Mapping) or gate.get("routes") not in GATED:
        raise UserError(f"the manifest's gate is {gate!r}; its routes must be one of {GATED}")
    threshold = gate.get("threshold")
    if not isinstance(threshold, float) or not math.isfinite(threshold):
        raise UserError(f"the manifest's gate has the threshold {str(threshold)[:40]}, which is no finite number")
