import numpy as np
import pytest
import torch
from torch import nn
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.fcos import FCOS
from torchvision.models.detection.image_list import ImageList

from deploy.errors import UserError
from deploy.postprocess import postprocessor

CLASSES = 7


class Pyramid(nn.Module):
    """Stands where torchvision wants a backbone; only its channel count is read."""

    out_channels = 32


def settings(strides: list[int], side: int, **changes: object) -> dict[str, object]:
    grids = [[side // stride, side // stride] for stride in strides]
    fixed = {
        "score_threshold": 0.05,
        "nms_threshold": 0.5,
        "candidates": 200,
        "detections": 100,
        "image_size": side,
    }
    return {"kind": "fcos", "strides": strides, "grids": grids, **fixed, **changes}


def torchvision_answer(outputs: list[np.ndarray], strides: list[int], side: int) -> dict[str, np.ndarray]:
    anchors = AnchorGenerator(tuple((s,) for s in strides), ((1.0,),) * len(strides))
    model = FCOS(
        Pyramid(), CLASSES, anchor_generator=anchors, score_thresh=0.05, nms_thresh=0.5, topk_candidates=200
    )
    levels = [torch.zeros(1, 8, side // s, side // s) for s in strides]
    images = ImageList(torch.zeros(1, 3, side, side), [(side, side)])
    counts = [level.shape[2] * level.shape[3] for level in levels]
    names = ("cls_logits", "bbox_regression", "bbox_ctrness")
    heads = {n: list(torch.from_numpy(o).split(counts, dim=1)) for n, o in zip(names, outputs, strict=True)}
    grid = [list(a.split(counts)) for a in anchors(images, levels)]
    found = model.postprocess_detections(heads, grid, [(side, side)])[0]
    return {name: value.numpy() for name, value in found.items()}


def raw_outputs(strides: list[int], side: int, seed: int) -> list[np.ndarray]:
    rng, count = np.random.default_rng(seed), sum((side // s) ** 2 for s in strides)
    cls = rng.normal(-1.5, 2, (1, count, CLASSES))
    regression = np.abs(rng.normal(1.2, 1, (1, count, 4)))
    return [a.astype(np.float32) for a in (cls, regression, rng.normal(0.5, 2, (1, count, 1)))]


@pytest.mark.parametrize("strides", [[8], [8, 16], [8, 16, 32]])
@pytest.mark.parametrize("seed", range(4))
def test_it_answers_as_torchvisions_fcos_does(strides, seed):
    torch.set_num_threads(1)
    outputs = raw_outputs(strides, 96, seed)
    found = postprocessor(settings(strides, 96))(tuple(outputs))
    expected = torchvision_answer(outputs, strides, 96)
    assert len(found["scores"]) == len(expected["scores"]) > 20
    assert np.array_equal(found["labels"], expected["labels"])
    np.testing.assert_allclose(found["scores"], expected["scores"], atol=1e-6)
    np.testing.assert_allclose(found["boxes"], expected["boxes"], atol=1e-4)


def test_an_anchor_offset_moves_every_box_by_that_part_of_a_stride():
    outputs = raw_outputs([8], 96, 0)
    outputs[1][:] = 0.25
    plain = postprocessor(settings([8], 96))(tuple(outputs))
    moved = postprocessor(settings([8], 96, anchor_offset=0.5))(tuple(outputs))
    inside = (plain["boxes"] > 0).all(axis=1) & (moved["boxes"] < 96).all(axis=1)
    np.testing.assert_allclose(moved["boxes"][inside], plain["boxes"][inside] + 4)


def test_nothing_above_the_threshold_is_no_boxes():
    outputs = raw_outputs([8], 96, 0)
    outputs[0][:] = -50
    found = postprocessor(settings([8], 96))(tuple(outputs))
    assert found["boxes"].shape == (0, 4)
    assert found["scores"].shape == found["labels"].shape == (0,)


def test_extreme_logits_neither_overflow_nor_warn():
    outputs = raw_outputs([8], 96, 0)
    outputs[0] *= 1e4
    with np.errstate(all="raise", under="ignore"):
        found = postprocessor(settings([8], 96))(tuple(outputs))
    assert np.isfinite(found["scores"]).all()


def test_class_scores_are_a_softmax():
    scores = postprocessor({"kind": "softmax"})((np.array([[1000.0, 0.0, 1000.0]], dtype=np.float32),))
    np.testing.assert_allclose(scores["scores"], [0.5, 0, 0.5])


@pytest.mark.parametrize("wrong", [{"kind": "fco"}, {"kind": "fcos"}, {**settings([8], 96), "strides": []}])
def test_a_manifest_that_describes_no_post_processing_is_refused(wrong):
    with pytest.raises(UserError):
        postprocessor(wrong)
