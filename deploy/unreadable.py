"""What Pillow raises for bytes that are no picture: its plug-ins do not agree on one exception."""

from __future__ import annotations

import struct

from PIL import Image

UNREADABLE = (
    OSError,
    ValueError,
    SyntaxError,
    IndexError,
    EOFError,
    OverflowError,
    RuntimeError,
    struct.error,
    Image.DecompressionBombError,
)
