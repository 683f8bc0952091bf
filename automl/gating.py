"""Gating: a gate learns which samples the edge answers well enough; its threshold is found on validation."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from automl.lessons import TaughtBatch
from search_spaces.derived import DerivedModel
from search_spaces.exits import Exits
from search_spaces.gate import Answering
from search_spaces.payload import tensors_of
from search_spaces.placement import CPU, on_cpu, placed_targets
from search_spaces.task import Outputs, Target, Task

PENALTY = 0.03
"""Weight of the squared weights beside the mean loss: all but that of the plain rule, so that the gate is that rule
where the other evidence says little."""
MEANS_SCALE = 0.3
"""Channel means weigh less than confidence: those of the training data are the ones that the model has seen."""
RECALL_BOOST = 2.0
"""How much more a sample weighs that the edge should not keep (recall boosting; Eccentric, arXiv 2511.11719)."""
ITERATIONS = 50


@dataclass(frozen=True)
class Lived:
    """What a gate learns from.

    Attributes:
        evidence: What it reads of each sample, (n, inputs).
        harm: How much worse each answer on offer is than the cloud model's, (n, answers) in 0..1.
    """

    evidence: Tensor
    harm: Tensor


def learn_gate(derived: DerivedModel, task: Task, batches: Iterable[TaughtBatch]) -> None:
    """Teach a model's gate, in place; everything else of it stays as it is.

    Args:
        derived: A model with a gate, in eval mode.
        task: The task; it offers ``Exits``.
        batches: Training samples and what the cloud model says of them.
    """
    answering = derived.answering
    assert answering is not None
    lived, gate = _lived(derived, answering, task, batches), answering.gate
    deviation, mean = torch.std_mean(lived.evidence, 0)
    scale = 1 / deviation.clamp_min(1e-3)
    scale[-answering.means :] *= MEANS_SCALE
    gate.mean.copy_(mean)
    gate.scale.copy_(scale)
    for parameter in gate.parameters():
        nn.init.zeros_(parameter)
    _fit(gate.linear, gate.standardized(lived.evidence), lived.harm)


def _fit(linear: nn.Linear, evidence: Tensor, harm: Tensor) -> None:
    """Minimise the penalised loss; it is convex, so where it begins is of no matter."""
    optimizer = torch.optim.LBFGS(linear.parameters(), max_iter=ITERATIONS, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = gate_loss(linear(evidence), harm) + PENALTY * linear.weight[:, 1:].square().sum()
        loss.backward()
        return loss

    optimizer.step(closure)


def gate_loss(logits: Tensor, harm: Tensor) -> Tensor:
    """Return the cross-entropy of expected and real harm, scalar, where harm weighs more than its absence.

    Args:
        logits: The gate's, (n, answers).
        harm: In 0..1, same shape.
    """
    weight = 1 + (RECALL_BOOST - 1) * harm
    return functional.binary_cross_entropy_with_logits(logits, harm, weight)


@torch.no_grad()
def _lived(derived: DerivedModel, answering: Answering, task: Task, batches: Iterable[TaughtBatch]) -> Lived:
    evidence, harms = [], []
    for batch in batches:
        found, outputs = _answered(derived, answering, batch.images)
        evidence.append(found)
        bar = _harm(task, batch.lesson.outputs, batch.targets)
        harms.append(np.stack([_harm(task, each, batch.targets) - bar for each in outputs], 1).clip(0, 1))
    found = torch.cat(evidence)
    return Lived(found, torch.from_numpy(np.concatenate(harms)).float().to(found.device))


def _answered(derived: DerivedModel, answering: Answering, images: Tensor) -> tuple[Tensor, list[Outputs]]:
    """Return the evidence and the raw outputs of every answer that the gate scores."""
    assert derived.edge is not None
    features = derived.edge.features(images)
    outputs = tensors_of(answering.head(features))
    answers = [outputs]
    if derived.cloud is not None and derived.whole is not None:
        answers.append(derived(images))
    return answering.evidence(features, outputs), answers


def _harm(task: Task, outputs: Outputs, targets: list[Target]) -> np.ndarray:
    assert isinstance(task, Exits)
    return task.harm(task.predict(on_cpu(outputs)), placed_targets(targets, CPU))
