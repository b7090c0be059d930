"""PNG pictures, of few colours or of any, written with the standard library and numpy.

Source: W3C, "Portable Network Graphics (PNG) Specification", sections 5, 9 and 11.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["png", "rgb_png"]


def png(picture: NDArray[np.uint8], palette: Sequence[tuple[int, int, int]]) -> bytes:
    """A PNG of places in a palette. The same input gives the same bytes.

    Args:
        picture: (height, width), each a place in `palette`.
        palette: at most 256 colours, (red, green, blue) from 0 to 255.
    """
    colours = b"".join(bytes(colour) for colour in palette)
    above = np.vstack([np.zeros_like(picture[:1]), picture[:-1]])
    # Filter 2: each line as its difference from the one above, in whole bytes that wrap around.
    return _file(picture.shape, 3, 2, picture - above, (b"PLTE", colours))


def rgb_png(pixels: NDArray[np.uint8]) -> bytes:
    """A PNG of pixels, (height, width, 3): red, green, blue. The same input gives the same bytes."""
    return _file(pixels.shape, 2, 0, pixels.reshape(len(pixels), -1))


def _file(
    shape: tuple[int, ...],
    colours: int,
    way: int,
    lines: NDArray[np.uint8],
    *more: tuple[bytes, bytes],
) -> bytes:
    """A file of lines that were filtered in a way; `more` chunks stand before them."""
    height, width = shape[:2]
    data = np.concatenate([np.full((height, 1), way, np.uint8), lines], axis=1).tobytes()
    header = struct.pack(">IIBBBBB", width, height, 8, colours, 0, 0, 0)  # 8 bits, not interlaced
    chunks = [(b"IHDR", header), *more, (b"IDAT", zlib.compress(data, 9)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*chunk) for chunk in chunks)


def _chunk(kind: bytes, data: bytes) -> bytes:
    check = struct.pack(">I", zlib.crc32(kind + data))
    return struct.pack(">I", len(data)) + kind + data + check
