"""ImageContainer: what of an image file is the same for every image, and how to leave it out.

`strip` turns an encoder's file into the bytes that differ from image to image; `restore` gives back the very file.
Each container learns its constants from one sample file of the same settings.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol


class ImageContainer(Protocol):
    """Strips the files of one encoder at one setting and image size."""

    def strip(self, file: bytes) -> bytes:
        """Return what differs; for a file of another build, anything: the caller restores and compares."""
        ...

    def restore(self, payload: bytes) -> bytes:
        """Return the file that was stripped."""
        ...

    def is_file(self, data: bytes) -> bool:
        """Return whether data begins as a whole file of this format."""
        ...


class JpegContainer:
    """JPEG (ITU-T T.81), one scan: the standard Huffman tables are not sent, an image's own ones are.

    ```
    standard tables: scan bytes                            (0xff is followed by 0x00 there)
    own tables:      ff c4 | 4 x (16 counts, symbols) | scan bytes
    ```
    """

    _OWN_TABLES = b"\xff\xc4"
    _CLASSES = (0x00, 0x10, 0x01, 0x11)

    def __init__(self, sample: bytes) -> None:
        """Learn from a file with the standard tables."""
        tables, scan = sample.index(b"\xff\xc4"), sample.index(b"\xff\xda")
        self._scan_header = sample[scan : scan + 2 + _uint16(sample, scan + 2)]
        self._before_tables, self._standard = sample[:tables], sample[tables:scan]

    def strip(self, file: bytes) -> bytes:
        """Return the scan, behind the Huffman tables where they are the image's own."""
        scan = file.index(self._scan_header)
        tables, body = file[len(self._before_tables) : scan], file[scan + len(self._scan_header) : -2]
        if tables == self._standard:
            return body
        contents, at = [], 0
        while at < len(tables):
            size = _uint16(tables, at + 2)
            contents.append(tables[at + 5 : at + 2 + size])
            at += 2 + size
        return self._OWN_TABLES + b"".join(contents) + body

    def restore(self, payload: bytes) -> bytes:
        """Return the file."""
        tables, body = self._standard, payload
        if payload.startswith(self._OWN_TABLES):
            tables, at = b"", len(self._OWN_TABLES)
            for kind in self._CLASSES:
                size = 16 + sum(payload[at : at + 16])
                tables += b"\xff\xc4" + (size + 3).to_bytes(2, "big") + bytes([kind]) + payload[at : at + size]
                at += size
            body = payload[at:]
        return self._before_tables + tables + self._scan_header + body + b"\xff\xd9"

    def is_file(self, data: bytes) -> bool:
        """Return whether data begins as a JPEG file."""
        return data.startswith(b"\xff\xd8")


class WebpContainer:
    """Lossy WebP (RFC 9649, RFC 6386): the container, the key frame's start code and the size are not sent.

    Of the 3-byte frame tag only the first partition's length is, in as many bytes as the payload's length needs.
    """

    _FRAME = 20
    _DATA = 30

    def __init__(self, sample: bytes) -> None:
        """Learn from any file of the settings."""
        self._flags = sample[self._FRAME] & 31
        self._start = sample[self._FRAME + 3 : self._DATA]

    def strip(self, file: bytes) -> bytes:
        """Return the first partition's length and both partitions."""
        end = self._FRAME + int.from_bytes(file[16:20], "little")
        partition = int.from_bytes(file[self._FRAME : self._FRAME + 3], "little") >> 5
        body = file[self._DATA : end]
        return partition.to_bytes(_length_bytes(len(body)), "big") + body

    def restore(self, payload: bytes) -> bytes:
        """Return the file."""
        width = next(n for n in (1, 2, 3) if n == 3 or _length_bytes(len(payload) - n) == n)
        partition, body = int.from_bytes(payload[:width], "big"), payload[width:]
        tag = (partition << 5 | self._flags) & 0xFFFFFF
        frame = tag.to_bytes(3, "little") + self._start + body
        padded = frame + bytes(len(frame) % 2)
        chunk = b"VP8 " + len(frame).to_bytes(4, "little") + padded
        return b"RIFF" + (4 + len(chunk)).to_bytes(4, "little") + b"WEBP" + chunk

    def is_file(self, data: bytes) -> bool:
        """Return whether data begins as a RIFF file."""
        return data.startswith(b"RIFF")


class AvifContainer:
    """AVIF (AV1 Image File Format 1.1): all boxes, the sequence header and the frame's length are not sent."""

    _EXTENT_LENGTH = 22
    """Where ``iloc`` version 0 with 4-byte fields keeps the only item's length, counted from the box's name."""
    _FRAME_HEADER = b"\x32"
    """AV1 (section 5.3): an open bitstream unit of type frame that carries its length."""

    def __init__(self, sample: bytes) -> None:
        """Learn from any file of the settings."""
        self._data = sample.index(b"mdat") + 4
        self._length_at = sample.index(b"iloc") + self._EXTENT_LENGTH
        self._boxes = sample[: self._data]
        units = sample[self._data :]
        self._units = units[: units.index(self._FRAME_HEADER, 4 + units[3])]

    def strip(self, file: bytes) -> bytes:
        """Return the frame unit's content."""
        at = self._data + len(self._units) + 1
        while file[at] & 0x80:
            at += 1
        return file[at + 1 :]

    def restore(self, payload: bytes) -> bytes:
        """Return the file."""
        item = self._units + self._FRAME_HEADER + _leb128(len(payload)) + payload
        boxes = bytearray(self._boxes)
        boxes[self._length_at : self._length_at + 4] = len(item).to_bytes(4, "big")
        boxes[-8:-4] = (len(item) + 8).to_bytes(4, "big")
        return bytes(boxes) + item

    def is_file(self, data: bytes) -> bool:
        """Return whether data begins with a file type box."""
        return data[4:8] == b"ftyp"


CONTAINERS: dict[str, Callable[[bytes], ImageContainer]] = {
    "jpeg": JpegContainer,
    "webp": WebpContainer,
    "avif": AvifContainer,
}


def _uint16(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 2], "big")


def _length_bytes(length: int) -> int:
    return max(1, (length.bit_length() + 7) // 8)


def _leb128(value: int) -> bytes:
    groups = [value >> shift & 0x7F for shift in range(0, max(1, value.bit_length()), 7)]
    return bytes([group | 0x80 for group in groups[:-1]] + groups[-1:])
