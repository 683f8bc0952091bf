"""EdgeRuntime: what runs on the edge device."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from deploy.bundle import EDGE, Bundle
from deploy.errors import UserError
from deploy.postprocess import Outputs, Prediction, postprocessor
from deploy.sample import Sample, sample_of
from deploy.session import Session, normalised


class EdgeRuntime:
    """Makes packets of images; or answers, where the bundle keeps everything on the edge.

    Args:
        bundle: An opened bundle.
        threads: Threads inside one operation; all cores when left out.
    """

    def __init__(self, bundle: Bundle, threads: int | None = None) -> None:
        self.bundle = bundle
        self._path: Path = bundle.path
        self._session = None if bundle.manifest.kind == "image" else Session(bundle.path / EDGE, threads)
        self._codec = None if bundle.manifest.kind == "edge" else bundle.packet_codec()
        self._postprocess = postprocessor(bundle.manifest.postprocessing)

    def crossing(self, image: np.ndarray) -> Sample:
        """Return what the codec sends of a uint8 image (H, W, 3): symbols (C, h, w), or the image at split 0."""
        if self._session is None:
            return image
        return sample_of(symbols[0] for symbols in self._session.run(normalised(image)))

    def packet(self, image: np.ndarray) -> bytes:
        """Return the packet of a uint8 image (H, W, 3) of the model's input size.

        Raises:
            UserError: everything runs on the edge, so there is nothing to send.
        """
        if self._codec is None:
            raise UserError(f"bundle '{self._path}' runs entirely on the edge and sends no packets")
        return self._codec.encode(self.crossing(image))

    def outputs(self, image: np.ndarray) -> Outputs:
        """Return the raw outputs, batch of one, where everything runs on the edge.

        Raises:
            UserError: the answer is the cloud's to give.
        """
        if self._session is None or self._codec is not None:
            raise UserError(f"bundle '{self._path}' answers in the cloud; send it the packet")
        return self._session.run(normalised(image))

    def answer(self, image: np.ndarray) -> Prediction:
        """Return the prediction for a uint8 image (H, W, 3), where everything runs on the edge.

        Raises:
            UserError: the answer is the cloud's to give.
        """
        return self._postprocess(self.outputs(image))
