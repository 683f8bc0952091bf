"""Distance: how far a detector's raw outputs are from its teacher's (Hinton et al. 2015, arXiv 1503.02531)."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor
from torchvision.ops import generalized_box_iou_loss


def sigmoid_distance(logits: Tensor, taught: Tensor, sure: Tensor, temperature: float) -> Tensor:
    """Return the distance between sigmoids of logits (b, A, K), summed over all of them.

    Binary cross-entropy less the teacher's own entropy (a KL divergence) at the temperature, times its square, each
    entry weighed by how far teacher and student are apart or the teacher is sure, so that easy background weighs
    little (quality focal loss, Li et al. 2020, arXiv 2006.04388).
    """
    apart = (logits.detach().sigmoid() - taught.sigmoid()).abs()
    weight = (apart + sure[..., None]).clamp(max=1.0)
    return (weight * bernoulli_kl(logits / temperature, (taught / temperature).sigmoid())).sum() * temperature**2


def softmax_distance(logits: Tensor, taught: Tensor, sure: Tensor, temperature: float) -> Tensor:
    """Return the distance between softmaxes of logits (b, A, K), weighed and summed as between sigmoids."""
    apart = (logits.detach().softmax(-1) - taught.softmax(-1)).abs().amax(-1)
    weight = (apart + sure).clamp(max=1.0)
    learned, soft = (F.log_softmax(each / temperature, -1) for each in (logits, taught))
    return (weight * F.kl_div(learned, soft, reduction="none", log_target=True).sum(-1)).sum() * temperature**2


def box_distance(boxes: Tensor, taught: Tensor, sure: Tensor) -> Tensor:
    """Return the GIoU loss between boxes (b, A, 4) xyxy, weighed by how sure the teacher is (b, A), summed."""
    return (sure * generalized_box_iou_loss(boxes, taught)).sum()


def mass_of(sure: Tensor) -> Tensor:
    """Return what a distance is divided by: how much the teacher is sure of in all, at least 1."""
    return sure.sum().clamp(min=1.0)


def bernoulli_kl(logits: Tensor, taught: Tensor) -> Tensor:
    """Return the KL divergence from probabilities, entry by entry."""
    entropy = F.binary_cross_entropy(taught, taught, reduction="none")
    return F.binary_cross_entropy_with_logits(logits, taught, reduction="none") - entropy
