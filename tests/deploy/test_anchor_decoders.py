"""Detectors that correct anchors are decoded as torchvision decodes them."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchvision.ops import batched_nms

from automl.tasks.detectors import rules_of
from deploy.boxes import suppressed
from deploy.errors import UserError
from deploy.postprocess import postprocessor

NAMES = ("retinanet_resnet50_fpn", "ssdlite320_mobilenet_v3_large", "fcos_resnet50_fpn")
CLASSES = 3


def raw_outputs(name: str, side: int, seed: int) -> tuple[np.ndarray, ...]:
    rules = rules_of(name, CLASSES, side)
    rng, anchors = np.random.default_rng(seed), len(rules.anchors)
    logits = rng.normal(-1, 2, (1, anchors, CLASSES + name.startswith("ssd")))
    regression = rng.normal(0, 1, (1, anchors, 4))
    fcos = name.startswith("fcos")
    outputs = (logits, np.abs(regression), rng.normal(0, 2, (1, anchors, 1))) if fcos else (logits, regression)
    return tuple(output.astype(np.float32) for output in outputs)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("side", [64, 72, 128])
def test_they_answer_as_torchvisions_do(name, side):
    torch.set_num_threads(1)
    rules, outputs = rules_of(name, CLASSES, side), raw_outputs(name, side, 0)
    found = postprocessor(rules.postprocessing())(outputs)
    (expected,) = rules.detections(tuple(map(torch.from_numpy, outputs)))
    assert len(found["scores"]) == len(expected["scores"]) > 20
    np.testing.assert_allclose(found["scores"], expected["scores"], atol=1e-6)
    # Where two scores tie but for rounding, either may come first.
    clear = np.abs(np.diff(expected["scores"], prepend=np.inf)) > 1e-6
    clear &= np.abs(np.diff(expected["scores"], append=-np.inf)) > 1e-6
    assert np.array_equal(found["labels"][clear], expected["labels"][clear])
    np.testing.assert_allclose(found["boxes"][clear], expected["boxes"][clear], atol=1e-3)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_above_the_threshold_is_no_boxes(name):
    outputs = raw_outputs(name, 64, 0)
    outputs[0][:] = -50
    if name.startswith("ssd"):
        outputs[0][:, :, 0] = 50
    found = postprocessor(rules_of(name, CLASSES, 64).postprocessing())(outputs)
    assert found["boxes"].shape == (0, 4)
    assert found["scores"].shape == found["labels"].shape == (0,)


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 10_000), count=st.integers(0, 60), threshold=st.sampled_from([0.3, 0.5, 0.7]))
def test_suppression_is_torchvisions(seed, count, threshold):
    rng = np.random.default_rng(seed)
    corner = rng.random((count, 2)) * 40
    boxes = np.concatenate([corner, corner + 1 + rng.random((count, 2)) * 20], axis=1).astype(np.float32)
    scores, labels = rng.permutation(count).astype(np.float32), rng.integers(0, 3, count)
    expected = batched_nms(*map(torch.from_numpy, (boxes, scores, labels)), threshold)[:20]
    assert np.array_equal(suppressed(boxes, scores, labels, threshold, 20), expected.numpy())


def test_a_manifest_whose_levels_do_not_fit_is_refused():
    settings = rules_of(NAMES[0], CLASSES, 64).postprocessing()
    with pytest.raises(UserError, match="same levels"):
        postprocessor({**settings, "cells": settings["cells"][:-1]})
