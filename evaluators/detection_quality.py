"""Mean average precision of detections, and its bootstrap."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Sequence

import torch
from torchmetrics.detection import MeanAveragePrecision

from search_spaces.task import Prediction, Target


def mean_average_precision(predictions: Sequence[Prediction], targets: Sequence[Target]) -> float:
    """Return COCO's mAP over IoU 0.50:0.95, 0 to 1, by torchmetrics with the faster-coco-eval backend."""
    metric = MeanAveragePrecision(backend="faster_coco_eval")
    metric.warn_on_many_detections = False
    found = [{key: torch.from_numpy(value) for key, value in prediction.items()} for prediction in predictions]
    metric.update(found, [dict(target) for target in targets])
    with contextlib.redirect_stdout(io.StringIO()):
        answer = metric.compute()
    return max(0.0, float(answer["map"]))
