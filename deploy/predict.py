"""Answers for one's own pictures: picture, edge, packet, cloud, prediction in one process."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from deploy.bundle import Bundle
from deploy.cloud import CloudRuntime
from deploy.draw import draw, save_picture
from deploy.edge import EdgeRuntime
from deploy.postprocess import Prediction
from deploy.preprocess import model_input, open_picture, to_picture

LIKELY = 0.3
"""Boxes below this score are left out of what people read, unless they ask."""


@dataclass(frozen=True)
class Answer:
    """What a bundle says of one picture.

    Attributes:
        prediction: Boxes in the picture's pixels, or class scores.
        packet_bytes: What was sent; 0 where the edge answered.
        classes: Names of the labels.
        picture: The picture, upright.
    """

    prediction: Prediction
    packet_bytes: int
    classes: tuple[str, ...]
    picture: Image.Image

    def to_dict(self) -> dict[str, Any]:
        """Return the answer as JSON holds it."""
        names, found = self.classes, self.prediction
        answer: dict[str, Any] = {"packet_bytes": self.packet_bytes, "picture": list(self.picture.size)}
        if "boxes" not in found:
            scores = {name: float(score) for name, score in zip(names, found["scores"], strict=True)}
            return {**answer, "class": max(scores, key=scores.__getitem__), "scores": scores}
        rows = zip(found["boxes"].tolist(), found["scores"].tolist(), found["labels"].tolist(), strict=True)
        return {**answer, "boxes": [{"class": names[k], "score": s, "xyxy": box} for box, s, k in rows]}

    def lines(self) -> list[str]:
        """Return the answer in words, one fact a line."""
        said = self.to_dict()
        sent = f"{self.packet_bytes} bytes sent" if self.packet_bytes else "nothing sent: the edge answered"
        if "class" in said:
            return [f"{said['class']}  {said['scores'][said['class']]:.2f}   ({sent})"]
        rows = [
            f"{box['class']:>12}  {box['score']:.2f}  " + " ".join(f"{side:7.1f}" for side in box["xyxy"])
            for box in said["boxes"]
        ]
        return [f"{len(rows)} found ({sent}); class, score, left, top, right, bottom in pixels", *rows]

    def draw(self, path: Path) -> None:
        """Write the picture with the prediction drawn onto it.

        Raises:
            UserError: unknown ending, or the file cannot be written.
        """
        save_picture(draw(self.picture, self.prediction, self.classes), path)


class Predictor:
    """Runs a bundle's edge and cloud in one process, packets between them.

    Args:
        bundle: An opened bundle.
        threads: Threads inside one operation; all cores when left out.
    """

    def __init__(self, bundle: Bundle, threads: int | None = None) -> None:
        self._manifest = bundle.manifest
        self._edge = EdgeRuntime(bundle, threads)
        self._cloud = None if bundle.manifest.kind == "edge" else CloudRuntime(bundle, threads)

    def answer(self, picture: Path, min_score: float = LIKELY) -> Answer:
        """Return the answer for a picture file.

        Args:
            picture: Any picture that Pillow reads.
            min_score: Boxes below it are left out.

        Raises:
            UserError: missing, or no picture.
        """
        upright = open_picture(picture)
        image = model_input(upright, self._manifest.image_size)
        prediction, sent = self._answered(image)
        return Answer(self._on(upright, prediction, min_score), sent, self._manifest.classes, upright)

    def _answered(self, image: np.ndarray) -> tuple[Prediction, int]:
        """Return the prediction for a model's input and the bytes that were sent for it."""
        handled = self._edge.handle(image)
        if handled.prediction is not None:
            return handled.prediction, 0
        assert self._cloud is not None and handled.packet is not None
        return self._cloud.answer(handled.packet), len(handled.packet)

    def _on(self, upright: Image.Image, prediction: Prediction, min_score: float) -> Prediction:
        if "boxes" not in prediction:
            return prediction
        kept = {name: values[prediction["scores"] >= np.float32(min_score)] for name, values in prediction.items()}
        return {**kept, "boxes": to_picture(kept["boxes"], self._manifest.image_size, upright.size)}
