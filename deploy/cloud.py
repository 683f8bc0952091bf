"""CloudRuntime: what runs in the cloud."""

from __future__ import annotations

from dataclasses import dataclass

from deploy.bundle import Bundle
from deploy.errors import UserError
from deploy.packet import PacketError, kind_of
from deploy.postprocess import Outputs, Prediction, postprocessor, raw_outputs
from deploy.route import Route
from deploy.sample import Sample, arrays_of
from deploy.session import Session, normalised


@dataclass(frozen=True)
class Received:
    """What a packet carries: features' uint8 symbols (C, h, w) of each tensor, or an image's pixels (H, W, 3)."""

    route: Route
    sample: Sample


class CloudRuntime:
    """Answers packets.

    Args:
        bundle: An opened bundle; the same as the edge's.
        threads: Threads inside one operation; all cores when left out.

    Raises:
        UserError: the bundle runs entirely on the edge.
    """

    def __init__(self, bundle: Bundle, threads: int | None = None) -> None:
        self.bundle = bundle
        self._codecs = bundle.codecs()
        if not self._codecs:
            raise UserError(f"bundle '{bundle.path}' runs entirely on the edge and sends no packets")
        self._postprocess = postprocessor(bundle.manifest.postprocessing)
        self._sessions = {route: self._program(route, threads) for route in self._codecs}

    def _program(self, route: Route, threads: int | None) -> Session:
        manifest = self.bundle.manifest
        inputs = len(manifest.symbol_shapes) if route == Route.FEATURES else 1
        return Session(self.bundle.program(route), threads, (inputs, raw_outputs(manifest.postprocessing)))

    def received(self, packet: bytes) -> Received:
        """Return what a packet carries.

        Raises:
            PacketError: the packet is none of this bundle's.
        """
        kind = kind_of(packet)
        route = next((route for route in self._codecs if route.value == kind), None)
        if route is None:
            expected = " or ".join(route.name.lower() for route in self._codecs)
            raise PacketError(f"packet of {kind.name.lower()} where the bundle expects {expected}")
        return Received(route, self._codecs[route].decode(packet))

    def outputs(self, received: Received) -> Outputs:
        """Return the raw outputs, batch of one, of what a packet carried."""
        arrays = arrays_of(received.sample)
        if received.route == Route.IMAGE:
            return self._sessions[Route.IMAGE].run(*map(normalised, arrays))
        return self._sessions[Route.FEATURES].run(*(array[None] for array in arrays))

    def answer(self, packet: bytes) -> Prediction:
        """Return the prediction for a packet.

        Raises:
            PacketError: the packet is none of this bundle's.
        """
        return self._postprocess(self.outputs(self.received(packet)))
