"""FCOS for one feature level: matching, losses, distillation and post-processing (arXiv 1904.01355)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence
from torchvision.models.detection._utils import BoxLinearCoder
from torchvision.models.detection.fcos import FCOSHead
from torchvision.ops import nms

from automl.tasks.distance import bernoulli_kl, box_distance, mass_of, sigmoid_distance
from search_spaces.task import Outputs, Prediction, Target

CENTER_RADIUS = 1.5
"""A cell answers for a box whose centre lies within this many strides, as in torchvision's FCOS."""
ANCHOR_OFFSET = 0.5
"""The first anchor's centre in strides: the middle of its cell."""
SCORE_THRESHOLD = 0.2
NMS_THRESHOLD = 0.5
CANDIDATES = 200
DETECTIONS = 50
"""Kept of one sample, best first: seven times the digits that a scene can hold."""


class _Losses(FCOSHead):
    """FCOSHead's own loss without the head's layers."""

    def __init__(self) -> None:
        nn.Module.__init__(self)
        self.box_coder = BoxLinearCoder(normalize_by_size=True)


_LOSSES = _Losses()


def grid_anchors(grid: int, stride: int) -> Tensor:
    """Return the anchors (grid * grid, 4) xyxy of a square grid, each one stride wide, row by row."""
    centres = (torch.arange(grid, dtype=torch.float32) + ANCHOR_OFFSET) * stride
    y, x = torch.meshgrid(centres, centres, indexing="ij")
    middle = torch.stack([x, y], -1).reshape(-1, 2)
    return torch.cat([middle - stride / 2, middle + stride / 2], 1)


def match(anchors: Tensor, targets: Sequence[Target]) -> Tensor:
    """Return, for a batch at once, the box that each anchor answers for, (b, A), -1 for background.

    The rule is torchvision's for a single level: the anchor's centre is inside the box and within
    ``CENTER_RADIUS`` strides of its centre; of several boxes the smallest wins.
    """
    boxes = pad_sequence([t["boxes"] for t in targets], batch_first=True)
    if boxes.shape[1] == 0:
        return torch.full((len(targets), len(anchors)), -1, device=anchors.device)
    centre = (anchors[:, :2] + anchors[:, 2:]) / 2
    inside = torch.cat([centre[:, None] - boxes[:, None, :, :2], boxes[:, None, :, 2:] - centre[:, None]], -1)
    offset = (centre[:, None] - (boxes[:, None, :, :2] + boxes[:, None, :, 2:]) / 2).abs().amax(-1)
    matched = (inside.amin(-1) > 0) & (offset < CENTER_RADIUS * (anchors[:, 2] - anchors[:, 0])[:, None])
    area = (boxes[..., 2] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 1])
    smallest, index = torch.where(matched, area[:, None], torch.inf).min(-1)
    return torch.where(smallest.isinf(), -1, index)


def detection_loss(outputs: Outputs, targets: Sequence[Target], anchors: Tensor) -> Tensor:
    """Return torchvision's FCOS loss: focal + GIoU + centerness, scalar."""
    logits, regression, centerness = outputs
    heads = {"cls_logits": logits, "bbox_regression": regression, "bbox_ctrness": centerness}
    matched = match(anchors, targets)
    losses = _LOSSES.compute_loss(list(targets), heads, [anchors] * len(targets), list(matched))
    return losses["classification"] + losses["bbox_regression"] + losses["bbox_ctrness"]


def detection_response_loss(outputs: Outputs, teacher: Outputs, anchors: Tensor, temperature: float) -> Tensor:
    """Return the distance of raw detector outputs from the teacher's, scalar.

    Classes as ``sigmoid_distance`` says. Boxes: GIoU, and centerness: KL divergence, both weighed by the teacher's
    score.
    """
    logits, regression, centerness = outputs
    taught_logits, taught_regression, taught_centerness = (t.detach() for t in teacher)
    sure = (taught_logits.sigmoid().amax(-1) * taught_centerness.sigmoid()[..., 0]).sqrt()
    classes = sigmoid_distance(logits, taught_logits, sure, temperature)
    boxes = box_distance(_decode(regression, anchors), _decode(taught_regression, anchors), sure)
    centre = bernoulli_kl(centerness, taught_centerness.sigmoid())[..., 0]
    return (classes + boxes + (sure * centre).sum()) / mass_of(sure)


def _decode(regression: Tensor, anchors: Tensor) -> Tensor:
    boxes: Tensor = _LOSSES.box_coder.decode(regression, anchors.expand(len(regression), -1, -1))
    return boxes


def scores(outputs: Outputs) -> Tensor:
    """Return the score of every anchor and class, (b, A, K), of raw outputs."""
    logits, _, centerness = outputs
    return (logits.sigmoid() * centerness.sigmoid()).sqrt()


@torch.no_grad()
def detections(outputs: Outputs, anchors: Tensor, image_size: int) -> list[Prediction]:
    """Return torchvision's FCOS post-processing of a batch: threshold, best candidates, decode, clip, NMS."""
    logits, regression, _ = outputs = tuple(t.detach().float().contiguous() for t in outputs)
    classes = logits.shape[-1]
    found = scores(outputs).flatten(1)
    best, flat = found.topk(min(CANDIDATES, found.shape[1]), dim=1)
    cell = flat // classes
    boxes = _decode(regression, anchors).clamp(0, image_size)
    boxes = boxes.gather(1, cell[..., None].expand(-1, -1, 4))
    labels = flat % classes
    counts = (best > SCORE_THRESHOLD).sum(1).tolist()
    return [_suppressed(boxes[i, :n], best[i, :n], labels[i, :n], image_size) for i, n in enumerate(counts)]


def _suppressed(boxes: Tensor, scores: Tensor, labels: Tensor, image_size: int) -> Prediction:
    """Apply NMS within each class: classes are moved apart by more than an image."""
    apart = boxes + (labels * (image_size + 1))[:, None]
    keep = nms(apart, scores, NMS_THRESHOLD)[:DETECTIONS]
    return {"boxes": boxes[keep].numpy(), "scores": scores[keep].numpy(), "labels": labels[keep].numpy()}
