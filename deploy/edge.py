"""EdgeRuntime: what runs on the edge device.

```
image --> edge.onnx --> symbols | raw outputs | gate's scores
                            scores, threshold --> route --> prediction, or packet of symbols or of the image
```
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from deploy.bundle import EDGE, Bundle
from deploy.postprocess import Outputs, Prediction, postprocessor, raw_outputs
from deploy.route import Route, routes_at
from deploy.sample import Sample, sample_of
from deploy.session import Session, normalised


@dataclass(frozen=True)
class Crossed:
    """What the edge program gives of one sample.

    Attributes:
        symbols: uint8 (C, h, w) of each tensor that is sent; none where no features are.
        outputs: The edge's own raw outputs, batch of one; none where it does not answer.
        scores: The gate's, (1, answers); None where there is no gate.
    """

    symbols: tuple[np.ndarray, ...] = ()
    outputs: Outputs = ()
    scores: np.ndarray | None = None


@dataclass(frozen=True)
class Handled:
    """What the edge made of one sample.

    Attributes:
        route: How it is answered.
        prediction: The edge's answer; None where the cloud answers.
        sent: What the packet carries: symbols, or the image; None where nothing is sent.
        packet: What is sent; None where the edge answers.
    """

    route: Route
    prediction: Prediction | None = None
    sent: Sample | None = None
    packet: bytes | None = None


class EdgeRuntime:
    """Answers images, or makes packets of them; behind a gate either, sample by sample.

    Args:
        bundle: An opened bundle.
        threads: Threads inside one operation; all cores when left out.
    """

    def __init__(self, bundle: Bundle, threads: int | None = None) -> None:
        self.bundle = bundle
        self._routes, self._threshold = bundle.manifest.routes, bundle.manifest.threshold
        self._codecs = bundle.codecs()
        self._postprocess = postprocessor(bundle.manifest.postprocessing)
        self._session = self._program(threads)

    def _program(self, threads: int | None) -> Session | None:
        if self._routes == (Route.IMAGE,):
            return None
        answers = raw_outputs(self.bundle.manifest.postprocessing) if Route.EDGE in self._routes else 0
        outputs = len(self.bundle.manifest.symbol_shapes) + answers + (len(self._routes) > 1)
        return Session(self.bundle.path / EDGE, threads, (1, outputs))

    def handle(self, image: np.ndarray) -> Handled:
        """Return the answer to a uint8 image (H, W, 3) of the model's input size, or the packet to send."""
        crossed = self.crossed(image)
        route = self.route(crossed)
        if route == Route.EDGE:
            return Handled(route, prediction=self._postprocess(crossed.outputs))
        sent = image if route == Route.IMAGE else sample_of(crossed.symbols)
        return Handled(route, sent=sent, packet=self._codecs[route].encode(sent))

    def crossed(self, image: np.ndarray) -> Crossed:
        """Return what the edge program gives of a uint8 image (H, W, 3); nothing where there is none."""
        if self._session is None:
            return Crossed()
        given, sent = self._session.run(normalised(image)), len(self.bundle.manifest.symbol_shapes)
        gated = len(self._routes) > 1
        outputs, scores = (given[sent:-1], given[-1]) if gated else (given[sent:], None)
        return Crossed(tuple(symbols[0] for symbols in given[:sent]), outputs, scores)

    def route(self, crossed: Crossed) -> Route:
        """Return how a sample is answered."""
        if crossed.scores is None:
            return self._routes[0]
        return Route(int(routes_at(crossed.scores, self._threshold, self._routes)[0]))
