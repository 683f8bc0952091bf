"""Export: a derived model as a bundle that runs without torch."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import torch
from torch import nn

from deploy.bundle import CLOUD, EDGE, SAMPLE, WHOLE, Bundle, tables_name
from deploy.image_codec import ImageCodec, ImageSettings
from deploy.manifest import Manifest
from deploy.preprocess import PREPROCESSING
from deploy.route import Route
from deploy.symbol_tables import SymbolTables
from results.onnx_export import write_onnx
from search_spaces.config import Config
from search_spaces.payload import payload_of
from search_spaces.task import Task

PACKAGES = (
    "eccsearch",
    "torch",
    "torchvision",
    "onnx",
    "onnxscript",
    "onnxruntime",
    "constriction",
    "numpy",
    "pillow",
)


class Derived(Protocol):
    """What exporting needs of a derived model.

    Attributes:
        config: Its configuration.
        symbol_shapes: Channels, height and width of the symbols of each tensor that is sent.
    """

    config: Config
    symbol_shapes: tuple[tuple[int, int, int], ...]

    @property
    def edge(self) -> nn.Module | None:
        """Images (b, 3, H, W) to uint8 symbols, raw outputs and a gate's scores, as there are; None at split 0."""
        ...

    @property
    def whole(self) -> nn.Module | None:
        """Images to raw outputs, for the images that a gate sends; None where it sends none."""
        ...

    @property
    def cloud(self) -> nn.Module | None:
        """Symbols, or images at split 0, to raw outputs; None where all is on the edge."""
        ...


def export_bundle(
    derived: Derived,
    task: Task,
    path: Path,
    tables: Sequence[SymbolTables],
    metrics: Mapping[str, Mapping[str, float]],
    origin: Mapping[str, str | int] | None = None,
    threshold: float | None = None,
) -> Bundle:
    """Write a derived model as a bundle and return it opened.

    Args:
        derived: The model's edge and cloud part.
        task: Gives classes, image size and post-processing.
        path: The bundle's folder; an older bundle there is replaced.
        tables: The symbol tables it was measured with, of each tensor that is sent.
        metrics: Measures by name, by data split.
        origin: Run, trial and weights that the bundle is made of.
        threshold: The most harm that its gate accepts; without a gate it says nothing.

    Raises:
        UserError: ``path`` holds something else or cannot be written.
        ValueError: symbols are sent and there are no tables for them, or a gate has no threshold.
    """
    if derived.config.gated and threshold is None:
        raise ValueError("a gate needs the threshold that it was measured with")
    if len(derived.symbol_shapes) != len(tables):
        raise ValueError("symbol tables are needed for every tensor that is sent")
    gate = {"threshold": threshold, "routes": [route.name.lower() for route in routes_of(derived.config)]}
    manifest = replace(
        _manifest(derived, task, tables, metrics),
        origin=dict(origin or {}),
        gate=gate if derived.config.gated else {},
    )

    def fill(folder: Path) -> None:
        _write_programs(derived, manifest, folder)
        for tensor, each in enumerate(tables):
            each.save(folder / tables_name(tensor))
        if derived.config.sends_images:
            (folder / SAMPLE).write_bytes(ImageCodec(_image_settings(derived.config, task)).sample)

    return Bundle.write(path, manifest, fill)


def _write_programs(derived: Derived, manifest: Manifest, folder: Path) -> None:
    image = torch.zeros(1, 3, *manifest.image_size)
    if derived.edge is not None:
        write_onnx(derived.edge, image, folder / EDGE)
    if derived.cloud is not None:
        symbols = payload_of(torch.zeros(1, *shape, dtype=torch.uint8) for shape in manifest.symbol_shapes)
        write_onnx(derived.cloud, symbols if manifest.symbol_shapes else image, folder / CLOUD)
    if derived.whole is not None:
        write_onnx(derived.whole, image, folder / WHOLE)


def _manifest(
    derived: Derived, task: Task, tables: Sequence[SymbolTables], metrics: Mapping[str, Mapping[str, float]]
) -> Manifest:
    return Manifest(
        kind=_kind(derived),
        task=task.name,
        metric=task.metric,
        classes=task.classes,
        image_size=(task.image_size, task.image_size),
        config=derived.config.to_params(),
        preprocessing=PREPROCESSING,
        postprocessing=task.postprocessing(),
        metrics={split: dict(measures) for split, measures in metrics.items()},
        versions=_versions(),
        symbol_shapes=derived.symbol_shapes,
        bits=tables[0].bits if tables else 0,
    )


def _kind(derived: Derived) -> str:
    if derived.config.gated:
        return "gated"
    return "image" if derived.edge is None else "edge" if derived.cloud is None else "features"


def routes_of(config: Config) -> list[Route]:
    """Return the routes that a gate chooses from, the cheapest first."""
    sent = {"features": [Route.FEATURES], "image": [Route.IMAGE], "dynamic": [Route.FEATURES, Route.IMAGE]}
    return [Route.EDGE, *sent.get(config.payload, [])]


def _image_settings(config: Config, task: Task) -> ImageSettings:
    side = task.image_size
    return ImageSettings(config.image_format, config.image_quality, config.image_resolution, (side, side))


def _versions() -> dict[str, str]:
    versions = {}
    for package in PACKAGES:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            versions[package] = "not installed as a package"
    return versions
