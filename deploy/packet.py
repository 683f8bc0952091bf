"""Packet: exactly what is sent for one sample.

```
bytes 0-1, big-endian   version (2 bits) | kind (2 bits) | check (12 bits)
bytes 2..               payload
check = crc32(payload), started from the codec's fingerprint, low 12 bits
```

The check does two jobs: a packet of another bundle and a damaged one both fail it, 4095 times in 4096.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol

from deploy.errors import UserError
from deploy.sample import Sample

VERSION = 1
HEADER_BYTES = 2
_CHECK_BITS = 12


class PacketError(UserError):
    """A packet that this bundle cannot have made: cut, damaged, foreign or of a newer version."""


class PacketKind(IntEnum):
    """What a packet's payload is; the numbers are those of the Route that it takes."""

    SYMBOLS = 1
    IMAGE = 2


class PayloadCodec(Protocol):
    """Turns one sample's uint8 array, or its several, into a payload and back."""

    @property
    def kind(self) -> PacketKind:
        """The kind of its packets."""
        ...

    @property
    def fingerprint(self) -> int:
        """32 bits that both ends share and another bundle's codec does not."""
        ...

    def encode(self, sample: Sample) -> bytes:
        """Return the payload of one sample."""
        ...

    def decode(self, payload: bytes) -> Sample:
        """Return the sample of one payload.

        Raises:
            PacketError: the payload is none that ``encode`` returns.
        """
        ...


@dataclass(frozen=True)
class PacketCodec:
    """Puts a payload codec's output behind the header, and checks the header on the way back."""

    payload: PayloadCodec

    def encode(self, sample: Sample) -> bytes:
        """Return the packet of one sample: uint8 symbols (C, h, w) of each tensor, or a uint8 image (H, W, 3)."""
        payload = self.payload.encode(sample)
        header = (VERSION << 2 | self.payload.kind) << _CHECK_BITS | self._check(payload)
        return header.to_bytes(HEADER_BYTES, "big") + payload

    def decode(self, packet: bytes) -> Sample:
        """Return the sample of a packet.

        Raises:
            PacketError: cut, damaged, foreign or of a newer version.
        """
        kind, payload = kind_of(packet), packet[HEADER_BYTES:]
        if kind != self.payload.kind:
            expected = self.payload.kind.name.lower()
            raise PacketError(f"packet of kind {kind.name.lower()} where the bundle expects {expected}")
        if int.from_bytes(packet[:HEADER_BYTES], "big") % (1 << _CHECK_BITS) != self._check(payload):
            raise PacketError("packet is damaged or belongs to another bundle; use one bundle on both ends")
        return self.payload.decode(payload)

    def _check(self, payload: bytes) -> int:
        return zlib.crc32(payload, self.payload.fingerprint) & ((1 << _CHECK_BITS) - 1)


def kind_of(packet: bytes) -> PacketKind:
    """Return what a packet says that it carries.

    Raises:
        PacketError: cut, damaged, or of a newer version.
    """
    if len(packet) < HEADER_BYTES:
        raise PacketError(f"packet of {len(packet)} bytes is shorter than its {HEADER_BYTES}-byte header")
    version, kind = divmod(packet[0] >> 4, 4)
    if version != VERSION:
        raise PacketError(f"packet has version {version}, this program reads {VERSION}; update the older end")
    if kind not in {each.value for each in PacketKind}:
        raise PacketError(f"packet of unknown kind {kind}: it is damaged or belongs to another bundle")
    return PacketKind(kind)
