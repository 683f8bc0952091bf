"""A synthetic model of what configurations measure: smooth laws plus noise that depends on the Config alone.

It stands in for training where samplers are compared or tested, because one of its trials costs microseconds. Its
figures have the shape of a small detector's (the deeper the split, the fewer the bytes and the more the edge FLOPs;
quality falls off as modules, bits and channels go); they are never reported as a model's.
"""

from __future__ import annotations

import math

import numpy as np

from automl.seeds import derived
from evaluators.measurement import Measurement
from search_spaces.config import Config
from search_spaces.layout import Layout
from search_spaces.space import SearchSpace, default_space

IMAGE_SIZE = 96
RAW_BYTES = 3 * IMAGE_SIZE**2
LAYOUT = Layout(
    stages=(-1, 0, 0, 1, 1, 2, 2, 3, 3, -1),
    skippable=(False, False, True, False, True, False, True, False, True, False),
    modules=4,
)
FLOPS = (1.4e6, 5e6, 5e6, 3.6e6, 4.9e6, 3.6e6, 4.9e6, 3.6e6, 4.9e6, 6e6)
SIDES = (48, 24, 24, 12, 12, 6, 6, 3, 3)
SHARED = 0.15
WHOLE_FLOPS = sum(FLOPS)
REFERENCE = (1.0, 1.1, math.log10(1 + RAW_BYTES))
FORMATS = {"jpeg": (1.0, 0.0), "webp": (0.75, 0.004), "avif": (0.62, 0.006)}
BEST_QUALITY = 0.72
NOISE = 0.004


def surrogate_space() -> SearchSpace:
    """Return the default space of the surrogate's ten blocks in four stages."""
    return default_space(LAYOUT, IMAGE_SIZE)


def measure(config: Config, seed: int) -> Measurement:
    """Return the Measurement of a canonical Config; ``seed`` is the trial's and feeds the noise."""
    noise = float(np.random.default_rng(derived(seed, config.to_params())).normal(0.0, NOISE))
    edge = _edge_flops(config)
    return Measurement(
        quality=min(1.0, max(0.0, BEST_QUALITY - _loss(config) + (noise if config.split else 0.0))),
        edge_flops=edge,
        bytes=_bytes(config),
        cloud_flops=sum(FLOPS[config.split :]),
        edge_params=edge / 40,
        edge_memory=4.0 * max((16 * side**2 for side in SIDES[: config.split]), default=0),
    )


def axes(measured: Measurement) -> tuple[float, float, float]:
    """Return the three minimised axes of the hypervolume; the reference point is ``REFERENCE``."""
    return 1 - measured.quality, measured.edge_flops / WHOLE_FLOPS, math.log10(1 + measured.bytes)


def _share(config: Config, block: int) -> float:
    stage = LAYOUT.stages[block]
    return 1.0 if stage < 0 else config.edge_modules[stage] / LAYOUT.modules


def _edge_flops(config: Config) -> float:
    blocks = sum(FLOPS[b] * _cost(_share(config, b), LAYOUT.skippable[b]) for b in range(config.split))
    if not 0 < config.split < LAYOUT.splits:
        return blocks
    channels = 16 * 48 / SIDES[config.split - 1]
    return blocks + channels * config.width * (SIDES[config.split - 1] / config.stride) ** 2


def _cost(share: float, skippable: bool) -> float:
    return 0.0 if share == 0 and skippable else SHARED + (1 - SHARED) * share


def _bytes(config: Config) -> float:
    if config.split == LAYOUT.splits:
        return 0.0
    if config.split == 0:
        scale = (config.image_resolution / IMAGE_SIZE) ** 1.8
        return 120 + RAW_BYTES * FORMATS[config.image_format][0] * scale * 0.02 * 1.035**config.image_quality
    symbols = config.width * math.ceil(SIDES[config.split - 1] / config.stride) ** 2
    entropy = config.bits * (0.8 - 0.22 * math.tanh(config.rate))
    return 6 + symbols * entropy / 8


def _loss(config: Config) -> float:
    if config.split == 0:
        return _image_loss(config)
    loss = sum(_module_loss(config, block) for block in range(config.split))
    taught = 1.0 - 0.35 * _teaching(config)
    if config.split == LAYOUT.splits:
        return loss * taught
    return (loss + _bottleneck_loss(config)) * taught


def _image_loss(config: Config) -> float:
    resolution = 0.22 * (1 - config.image_resolution / IMAGE_SIZE) ** 1.2
    return resolution + 0.32 * math.exp(-config.image_quality / 16) - FORMATS[config.image_format][1]


def _module_loss(config: Config, block: int) -> float:
    weight = (0.0, 0.05, 0.03, 0.06, 0.03, 0.05, 0.025, 0.04, 0.02, 0.0)[block]
    return weight * (1 - _share(config, block)) ** 1.6


def _bottleneck_loss(config: Config) -> float:
    side = SIDES[config.split - 1]
    narrow = 0.30 * math.exp(-config.width * math.sqrt(side / 12) / 5)
    coarse = 0.28 * math.exp(-(config.bits - 1) / 1.1)
    strided = (0.05 if config.stride == 2 else 0.0) * (6 / side) ** 0.3
    return narrow + coarse + strided + 0.02 * config.rate**1.5


def _teaching(config: Config) -> float:
    """Return 0 to 1: best at response 1, feature 0.5 (1 for narrow bottlenecks) and temperature 2."""
    feature = 1.0 if 0 < config.width <= 6 else 0.5
    heat = 1.0 - 0.25 * abs(math.log2(config.temperature / 2)) if config.temperature else 1.0
    response = math.exp(-((config.response - 1.0) ** 2)) * heat if config.response else 0.1
    return 0.6 * response + 0.4 * math.exp(-((config.feature - feature) ** 2))
