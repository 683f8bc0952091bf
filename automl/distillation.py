"""Distillation: the cloud model teaches a sub-model by its responses, its features and the rate."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from automl.lessons import Lesson
from automl.rate import entropy_bits
from search_spaces.config import Config
from search_spaces.task import Outputs, Target, Task
from search_spaces.trace import Trace

STEP_SPEED = 20.0
"""How much faster quantiser steps learn than weights do."""


def parameter_groups(
    model: nn.Module, learning_rate: float, learnt_rate: float | None = None
) -> list[dict[str, Any]]:
    """Return a model's trainable parameters for an optimiser; each group's ``peak`` is its learning rate.

    Quantiser steps live on a logarithmic scale and must cover factors of two within a trial, so they learn faster.

    Args:
        model: A supernet or a derived model.
        learning_rate: Of what began by chance.
        learnt_rate: Of the blocks, which begin as the cloud model's; the same unless given.
    """
    named = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
    steps = [p for name, p in named if "log_step" in name]
    others = [(name, p) for name, p in named if "log_step" not in name]
    fast, gentle = STEP_SPEED * learning_rate, learning_rate if learnt_rate is None else learnt_rate
    return [
        _group([p for name, p in others if not _is_learnt(name)], learning_rate, 0.01),
        _group([p for name, p in others if _is_learnt(name)], gentle, 0.01),
        _group(steps, fast, 0.0),
    ]


def _is_learnt(name: str) -> bool:
    """Return whether a parameter is of a block: of ``chain.blocks``, ``edge.blocks`` or ``cloud.blocks``."""
    return name.split(".")[1:2] == ["blocks"]


def _group(parameters: list[nn.Parameter], rate: float, weight_decay: float) -> dict[str, Any]:
    return {"params": parameters, "lr": rate, "peak": rate, "weight_decay": weight_decay}


def distillation_loss(trace: Trace, taught: Lesson, targets: list[Target], task: Task, config: Config) -> Tensor:
    """Return task loss + response + feature terms, weighted as the Config says; a scalar.

    Every exit head that answers as well has task and response terms of its own.

    The response term is the task's (Hinton et al. 2015, arXiv 1503.02531), the feature term the mean squared
    error over the teacher's mean square (as hints, Romero et al. 2015, arXiv 1412.6550), averaged over the taps'
    tensors.
    """
    loss = _answer_loss(trace.outputs, taught, targets, task, config)
    for outputs in trace.beside.values():
        loss = loss + _answer_loss(outputs, taught, targets, task, config)
    if config.feature:
        loss = loss + config.feature * _feature_loss(trace, taught)
    return loss


def rate_loss(bits: Tensor, weight: float | Tensor, task: Task) -> Tensor:
    """Return the rate term of the bits that a sample takes: weighted bits per input pixel, a scalar."""
    return weight * bits / task.image_size**2


def sent_bits(trace: Trace) -> Tensor:
    """Return the entropy of all symbols of one sample in bits, a scalar; something must be sent."""
    return torch.stack([entropy_bits(latent) for latent in trace.quantised]).sum()


def _answer_loss(outputs: Outputs, taught: Lesson, targets: list[Target], task: Task, config: Config) -> Tensor:
    loss = task.task_loss(outputs, targets)
    if config.response:
        loss = loss + config.response * task.response_loss(outputs, taught.outputs, config.temperature)
    return loss


def _feature_loss(trace: Trace, taught: Lesson) -> Tensor:
    terms = [
        (value - hint).square().mean() / hint.square().mean().clamp_min(1e-6)
        for i, values in trace.taps.items()
        for value, hint in zip(values, taught.taps[i], strict=True)
    ]
    return torch.stack(terms).mean()
