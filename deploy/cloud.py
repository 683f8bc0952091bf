"""CloudRuntime: what runs in the cloud."""

from __future__ import annotations

from deploy.bundle import CLOUD, Bundle
from deploy.postprocess import Outputs, Prediction, postprocessor
from deploy.sample import Sample, arrays_of
from deploy.session import Session, normalised


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
        self._codec = bundle.packet_codec()
        self._session = Session(bundle.path / CLOUD, threads)
        self._postprocess = postprocessor(bundle.manifest.postprocessing)

    def received(self, packet: bytes) -> Sample:
        """Return what a packet carries: uint8 symbols (C, h, w) of each tensor, or an image (H, W, 3) at split 0.

        Raises:
            PacketError: the packet is none of this bundle's.
        """
        return self._codec.decode(packet)

    def outputs(self, crossing: Sample) -> Outputs:
        """Return the raw outputs, batch of one, of what a packet carried."""
        image = self.bundle.manifest.kind == "image"
        return self._session.run(*(normalised(each) if image else each[None] for each in arrays_of(crossing)))

    def answer(self, packet: bytes) -> Prediction:
        """Return the prediction for a packet.

        Raises:
            PacketError: the packet is none of this bundle's.
        """
        return self._postprocess(self.outputs(self.received(packet)))
