"""SearchSpace: what a Config may say, how many distinct ones there are, and when two are the same."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from deploy.errors import unknown
from search_spaces.config import Config, Value
from search_spaces.layout import Layout
from search_spaces.parameter import Parameter

IMAGE = ("image_format", "image_quality", "image_resolution")
BOTTLENECK = ("width", "stride", "bits")
DISTILLATION = ("response", "feature", "rate", "temperature")
OFFLOAD = "offload"
GATE = (OFFLOAD, "payload")
"""Parameters that a run has where the edge can answer, unless its user fixes ``offload`` at 1."""
RESOLUTION = "resolution"
"""A parameter that a run has only where its user names it, and the model runs at other resolutions."""
UNLESS_NAMED: Mapping[str, tuple[Value, ...]] = {
    "response": (1.0,),
    "feature": (0.0,),
    "rate": (0.25, 0.5, 0.75, 1.0, 2.0),
    "temperature": (2.0,),
}
"""The choices that a run leaves unless its user names them: a trial is too short to show what the others do to a
finalist. Without a rate term, a finalist's bytes double."""


@dataclass(frozen=True)
class SearchSpace:
    """The parameters of a chain's configurations, all discrete."""

    parameters: tuple[Parameter, ...]
    layout: Layout

    def __getitem__(self, name: str) -> Parameter:
        for parameter in self.parameters:
            if parameter.name == name:
                return parameter
        raise unknown("parameter", name, (p.name for p in self.parameters))

    def narrowed(self, choices: Mapping[str, Sequence[Value]]) -> SearchSpace:
        """Return the space with some parameters narrowed.

        Raises:
            UserError: unknown parameter or choice, or a parameter narrowed to nothing.
        """
        kept = {name: self[name].narrowed(values) for name, values in choices.items()}
        return replace(self, parameters=tuple(kept.get(p.name, p) for p in self.parameters))

    def without_gates(self) -> SearchSpace:
        """Return the space in which no sample is answered before the split point."""
        kept = tuple(parameter for parameter in self.parameters if parameter.name not in GATE)
        return SearchSpace(kept, replace(self.layout, exits=()))

    def of_the_whole_image(self) -> SearchSpace:
        """Return the space in which the edge sees the whole image."""
        kept = tuple(parameter for parameter in self.parameters if parameter.name != RESOLUTION)
        return SearchSpace(kept, replace(self.layout, sides=()))

    def config(self, params: Mapping[str, Value]) -> Config:
        """Return the canonical Config of flat parameters; what is missing takes its default.

        Raises:
            UserError: unknown parameter, or a value that is none of the parameter's choices.
        """
        # The parameter's own choice object: 1 and 1.0 are equal, but they must also be written and hashed alike.
        chosen = {name: self[name].narrowed([value]).choices[0] for name, value in params.items()}
        return self.canonical(Config.from_params({**{p.name: p.default for p in self.parameters}, **chosen}))

    def canonical(self, config: Config) -> Config:
        """Return the one Config that stands for all those which run the same program.

        Whatever is inactive gets a neutral value: image settings where no image is sent, the bottleneck where no
        features are, the gate where it has no choice, the resolution where it is the whole one, modules of stages
        that are not there, distillation where nothing is trained.
        """
        if config.split == 0:
            return replace(self._cloud_model(0), **_fields(config, IMAGE))
        counts = self._edge_counts(config)
        whole = replace(self._cloud_model(config.split), resolution=self._resolution(config.resolution))
        everything = config.split == self.layout.splits
        if everything and counts == whole.edge_modules and not whole.resolution:
            return whole
        kept = replace(whole, edge_modules=counts, **self._gate(config))
        if not everything and kept.payload != "image":
            kept = replace(kept, **self._features(config))
        rate = config.rate if kept.width else 0.0
        return self._with_distillation(kept, config, rate)

    def _features(self, config: Config) -> dict[str, Any]:
        """Return what shapes the features that are sent and what the cloud makes of them."""
        cloud = config.cloud_modules if self.layout.cloud_has_modules(config.split) else self.layout.modules
        return {"cloud_modules": cloud, **_fields(config, BOTTLENECK)}

    def _resolution(self, side: int) -> int:
        return side if side in self.layout.sides[:-1] else 0

    @property
    def resolutions(self) -> list[int]:
        """What a Config may say of the edge's image, the smallest first: 0 stands for the whole one."""
        sides = next((p.choices for p in self.parameters if p.name == RESOLUTION), (0,))
        return [self._resolution(int(side)) for side in sides]

    def _gate(self, config: Config) -> dict[str, Any]:
        """Return how samples are sent where the edge answers some; nothing where it answers all, or none."""
        if config.offload >= 1 or not self._may_gate(config.split):
            return {}
        # Where everything is on the edge there are no features to send.
        payload = "image" if config.split == self.layout.splits else config.payload or "features"
        image = _fields(config, IMAGE) if payload != "features" else {}
        return {"offload": config.offload, "payload": payload, **image}

    def _may_gate(self, split: int) -> bool:
        """Return whether the edge may answer at a split point, and something be sent where it does not."""
        if split not in self.layout.exits:
            return False
        return split < self.layout.splits or self["payload"].choices != ("features",)

    def along(self, config: Config) -> list[Config]:
        """Return the canonical Configs that are measured with one of them: they differ in ``offload`` alone."""
        if not config.gated:
            return [config]
        return [replace(config, offload=share) for share in self.offloads]

    @property
    def has_gates(self) -> bool:
        """Whether some configuration lets the edge answer some samples and sends the others."""
        return any(self._gates(int(split))[1] for split in self["split"].choices)

    @property
    def offloads(self) -> list[float]:
        """The shares that need a gate, where the edge can answer."""
        return [float(share) for share in self["offload"].choices if float(share) < 1]

    def _with_distillation(self, trained: Config, config: Config, rate: float) -> Config:
        temperature = config.temperature if config.response else 0.0
        return replace(
            trained, response=config.response, feature=config.feature, rate=rate, temperature=temperature
        )

    def _cloud_model(self, split: int) -> Config:
        full = self.layout.modules
        return Config(split=split, edge_modules=(full,) * self.layout.stage_count, cloud_modules=full)

    def _edge_counts(self, config: Config) -> tuple[int, ...]:
        layout = self.layout
        return tuple(
            max(count, layout.fewest_modules(config.split, stage))
            if layout.edge_blocks(config.split, stage)
            else layout.modules
            for stage, count in enumerate(config.edge_modules)
        )

    def size(self) -> int:
        """Return the number of distinct canonical configurations."""
        return sum(self._size_at(int(split)) for split in self["split"].choices)

    def _size_at(self, split: int) -> int:
        images = math.prod(len(self[name].choices) for name in IMAGE)
        if split == 0:
            return images
        counts = [self._distinct_counts(split, stage) for stage in range(self.layout.stage_count)]
        subsets = math.prod(len(c) for c in counts) * len(self.resolutions)
        whole = 0 in self.resolutions and all(self.layout.modules in c for c in counts)
        plain, gated = self._gates(split)
        # Behind a gate at N an image is sent, whatever the payload says.
        if split == self.layout.splits:
            return (subsets - whole) * self._distillations(rates=1) * (plain + gated * images) + whole
        payloads = self["payload"].choices if gated else ()
        ways = plain + gated * (("features" in payloads) + images * ("dynamic" in payloads))
        only_images = gated * images * ("image" in payloads) * self._distillations(rates=1)
        return subsets * (ways * self._bottlenecks(split) + only_images)

    def _bottlenecks(self, split: int) -> int:
        """Return in how many ways features can be sent."""
        cloud = len(self["cloud_modules"].choices) if self.layout.cloud_has_modules(split) else 1
        bottlenecks = math.prod(len(self[name].choices) for name in BOTTLENECK)
        return cloud * bottlenecks * self._distillations(rates=len(self["rate"].choices))

    def _gates(self, split: int) -> tuple[int, int]:
        """Return 1 where the choices leave no gate needed, else 0, and how many shares need one."""
        if not self._may_gate(split):
            return 1, 0
        shares = len(self.offloads)
        return int(shares < len(self["offload"].choices)), shares

    def _distinct_counts(self, split: int, stage: int) -> set[int]:
        if not self.layout.edge_blocks(split, stage):
            return {self.layout.modules}
        fewest = self.layout.fewest_modules(split, stage)
        return {max(int(count), fewest) for count in self[f"edge_modules.stage{stage + 1}"].choices}

    def _distillations(self, rates: int) -> int:
        responses = self["response"].choices
        heated = sum(1 for weight in responses if weight) * len(self["temperature"].choices)
        return (heated + (0 in responses)) * len(self["feature"].choices) * rates

    def configs(self) -> Iterator[Config]:
        """Yield every distinct canonical Config once, in a fixed order; what is inactive is not varied."""
        seen = set()
        for split in self["split"].choices:
            active = self._active_at(int(split))
            choices = {p.name: p.choices if p.name in active else (p.default,) for p in self.parameters}
            choices["split"] = (split,)
            for values in itertools.product(*choices.values()):
                config = self.canonical(Config.from_params(dict(zip(choices, values, strict=True))))
                if config not in seen:
                    seen.add(config)
                    yield config

    def _active_at(self, split: int) -> set[str]:
        if split == 0:
            return set(IMAGE)
        layout = self.layout
        on_edge = {
            f"edge_modules.stage{stage + 1}"
            for stage in range(layout.stage_count)
            if layout.edge_blocks(split, stage)
        }
        on_edge.add(RESOLUTION)
        if any(self._gates(split)[1:]):
            on_edge |= set(IMAGE) | set(GATE)
        if split == layout.splits:
            return on_edge | set(DISTILLATION) - {"rate"}
        return on_edge | set(BOTTLENECK) | set(DISTILLATION) | {"cloud_modules"}


def _fields(config: Config, names: Sequence[str]) -> dict[str, Any]:
    return {name: getattr(config, name) for name in names}


_GATE = (
    Parameter("offload", (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0), 1.0),
    Parameter("payload", ("dynamic", "features", "image"), "features"),
)


def default_space(layout: Layout, image_size: int, cloud_modules: bool = False) -> SearchSpace:
    """Return the space of a chain.

    Args:
        layout: The chain's stages and modules.
        image_size: Side of the model's input in pixels.
        cloud_modules: Search the cloud part's modules too; pays only where cloud FLOPs are an objective.
    """
    full = layout.modules
    counts = tuple(range(full + 1))
    cloud = tuple(range(1, full + 1)) if cloud_modules else (full,)
    return SearchSpace(
        layout=layout,
        parameters=(
            Parameter("split", tuple(range(layout.splits + 1)), layout.splits // 2),
            *(Parameter(f"edge_modules.stage{i + 1}", counts, full) for i in range(layout.stage_count)),
            Parameter("cloud_modules", cloud, full),
            Parameter("width", (2, 4, 8, 12, 16, 24), 16),
            Parameter("stride", (1, 2), 1),
            Parameter("bits", tuple(range(1, 9)), 3),
            Parameter("image_format", ("avif", "jpeg", "webp"), "webp"),
            Parameter("image_quality", (5, 10, 20, 30, 40, 50, 60, 70, 80, 90), 50),
            Parameter("image_resolution", _resolutions(image_size), image_size),
            Parameter("response", (0.0, 0.5, 1.0, 2.0), 1.0),
            Parameter("feature", (0.0, 0.5, 1.0, 2.0), 0.0),
            Parameter("rate", (0.0, 0.125, 0.25, 0.5, 0.75, 1.0, 2.0), 0.5),
            Parameter("temperature", (1.0, 2.0, 4.0), 2.0),
            *(_GATE if layout.exits else ()),
            *((Parameter(RESOLUTION, layout.sides, image_size),) if layout.sides else ()),
        ),
    )


def _resolutions(image_size: int) -> tuple[int, ...]:
    return tuple(sorted({max(8, round(image_size * part / 8) * 8) for part in (1 / 2, 3 / 4, 1)}))
