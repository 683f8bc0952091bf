"""Post-processing: raw outputs to predictions, in numpy, as the manifest says.

```
softmax         (logits (1, K),)                                                    -> {"scores": (K,)}
fcos            (cls_logits (1, A, K), bbox_regression (1, A, 4), bbox_ctrness (1, A, 1))
                                                  -> {"boxes": (n, 4) xyxy, "scores": (n,), "labels": (n,)}
retinanet       (cls_logits (1, A, K), bbox_regression (1, A, 4))                   -> the same
ssd             (cls_logits (1, A, 1 + K), bbox_regression (1, A, 4))               -> the same
```
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from deploy.anchors import RetinaNetDecoder, SsdDecoder
from deploy.errors import UserError, unknown
from deploy.fcos import FcosDecoder

Outputs = tuple[np.ndarray, ...]
Prediction = dict[str, np.ndarray]


Postprocess = Callable[[Outputs], Prediction]
"""Turns the raw outputs of one sample, batch of one, into its prediction."""
DECODERS: Mapping[str, Callable[..., Callable[..., Prediction]]] = {
    "fcos": FcosDecoder,
    "retinanet": RetinaNetDecoder,
    "ssd": SsdDecoder,
}
"""What builds a detector's decoder from the manifest's settings."""
RAW_OUTPUTS: Mapping[str, int] = {"softmax": 1, "fcos": 3, "retinanet": 2, "ssd": 2}
"""How many raw outputs each kind reads."""


def raw_outputs(settings: Mapping[str, Any]) -> int:
    """Return how many raw outputs the post-processing that a manifest describes reads."""
    return RAW_OUTPUTS[str(settings["kind"])]


def postprocessor(settings: Mapping[str, Any]) -> Postprocess:
    """Return the post-processing that a manifest describes.

    Raises:
        UserError: unknown kind, or a setting is missing or wrong.
    """
    kind = str(settings.get("kind"))
    if kind == "softmax":
        return softmax_scores
    if kind not in DECODERS:
        raise unknown("post-processing in the manifest", kind, ("softmax", *DECODERS))
    try:
        decoder = DECODERS[kind](**{name: value for name, value in settings.items() if name != "kind"})
    except (TypeError, ValueError) as error:
        raise UserError(f"the manifest's post-processing is wrong ({error}); export the bundle again") from None
    return lambda outputs: decoder(*outputs)


def softmax_scores(outputs: Outputs) -> Prediction:
    """Return class probabilities of logits (1, K)."""
    logits = outputs[0][0].astype(np.float32)
    weights = np.exp(logits - logits.max())
    return {"scores": weights / weights.sum()}
