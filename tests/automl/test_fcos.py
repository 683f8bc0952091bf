"""FCOS for one level does what torchvision's own FCOS does, for a whole batch at once."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchvision.models.detection.fcos import FCOS, FCOSHead

from automl.tasks import fcos
from search_spaces.task import Outputs, Target

torch.set_num_threads(1)
ANCHORS = fcos.grid_anchors(12, 8)
seeds = st.integers(0, 10_000)


def batch(seed: int, size: int = 3) -> tuple[Outputs, list[Target]]:
    generator = torch.Generator().manual_seed(seed)
    outputs = (
        torch.randn(size, 144, 10, generator=generator) * 2 - 2,
        torch.rand(size, 144, 4, generator=generator) * 3,
        torch.randn(size, 144, 1, generator=generator),
    )
    return outputs, [_target(generator) for _ in range(size)]


def _target(generator: torch.Generator) -> Target:
    count = int(torch.randint(0, 5, (1,), generator=generator))
    corner = torch.rand(count, 2, generator=generator) * 60
    boxes = torch.cat([corner, corner + 8 + torch.rand(count, 2, generator=generator) * 28], 1)
    return {"boxes": boxes, "labels": torch.randint(0, 10, (count,), generator=generator)}


def _heads(outputs: Outputs) -> dict[str, torch.Tensor]:
    return dict(zip(("cls_logits", "bbox_regression", "bbox_ctrness"), outputs, strict=True))


@settings(max_examples=25, deadline=None)
@given(seeds)
def test_the_loss_is_torchvisions(seed: int) -> None:
    outputs, targets = batch(seed)
    owner = SimpleNamespace(center_sampling_radius=fcos.CENTER_RADIUS, head=FCOSHead(32, 1, 10, 1))
    expected = FCOS.compute_loss(owner, targets, _heads(outputs), [ANCHORS] * len(targets), [len(ANCHORS)])
    assert float(fcos.detection_loss(outputs, targets, ANCHORS)) == pytest.approx(
        float(sum(expected.values())), rel=1e-5
    )


@settings(max_examples=25, deadline=None)
@given(seeds)
def test_the_detections_are_torchvisions(seed: int) -> None:
    outputs, _ = batch(seed)
    owner = SimpleNamespace(
        score_thresh=fcos.SCORE_THRESHOLD,
        topk_candidates=fcos.CANDIDATES,
        nms_thresh=fcos.NMS_THRESHOLD,
        detections_per_img=fcos.DETECTIONS,
        box_coder=FCOSHead(32, 1, 10, 1).box_coder,
    )
    levels = {name: [output] for name, output in _heads(outputs).items()}
    expected = FCOS.postprocess_detections(owner, levels, [[ANCHORS]] * 3, [(96, 96)] * 3)
    for ours, theirs in zip(fcos.detections(outputs, ANCHORS, 96), expected, strict=True):
        assert ours["scores"] == pytest.approx(theirs["scores"].numpy())
        clear = _untied(ours["scores"])
        assert np.array_equal(ours["labels"][clear], theirs["labels"].numpy()[clear])
        assert ours["boxes"][clear] == pytest.approx(theirs["boxes"].numpy()[clear], abs=1e-4)


def _untied(scores: np.ndarray) -> np.ndarray:
    """Return which falling scores no neighbour equals: where two tie, either may come first or be cut off."""
    padded = np.concatenate([[np.inf], scores, [scores[-1] if len(scores) == fcos.DETECTIONS else -np.inf]])
    return np.abs(np.diff(padded))[:-1].clip(max=np.abs(np.diff(padded))[1:]) > 1e-6


def test_a_batch_without_objects_has_a_finite_loss() -> None:
    outputs, _ = batch(0)
    nothing: Target = {"boxes": torch.zeros(0, 4), "labels": torch.zeros(0, dtype=torch.int64)}
    assert torch.isfinite(fcos.detection_loss(outputs, [nothing] * 3, ANCHORS))
