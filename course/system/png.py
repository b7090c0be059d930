"""PNG pictures of few colours, written with the standard library.

Source: W3C, "Portable Network Graphics (PNG) Specification", sections 5, 9 and 11.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["png"]


def png(picture: NDArray[np.uint8], palette: Sequence[tuple[int, int, int]]) -> bytes:
    """A PNG of places in a palette. The same input gives the same bytes.

    Args:
        picture: (height, width), each a place in `palette`.
        palette: at most 256 colours, (red, green, blue) from 0 to 255.
    """
    height, width = picture.shape
    above = np.vstack([np.zeros((1, width), np.uint8), picture[:-1]])
    # Filter 2: each line as its difference from the one above, in whole bytes that wrap around.
    lines = np.concatenate([np.full((height, 1), 2, np.uint8), picture - above], axis=1)
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)  # 8 bits, palette
    colours = b"".join(bytes(colour) for colour in palette)
    parts = [(b"IHDR", header), (b"PLTE", colours), (b"IDAT", zlib.compress(lines.tobytes(), 9))]
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*part) for part in [*parts, (b"IEND", b"")])


def _chunk(kind: bytes, data: bytes) -> bytes:
    check = struct.pack(">I", zlib.crc32(kind + data))
    return struct.pack(">I", len(data)) + kind + data + check
