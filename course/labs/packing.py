"""Arrays into bytes for the front end: 4, 8 or 16 bits a number, as small as a picture allows.

The highest code of each width means "blocked"; the others span the scale. Weights are coded by
their square root, so that small ones can be told apart; signed numbers linearly from `-limit` to
`limit`. `front/codes.js` has the inverse; a test under Node holds the two together.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

Bits = Literal[4, 8, 16]
Floats = NDArray[np.float32]
Codes = NDArray[np.uint8] | NDArray[np.uint16]


def weight_codes(weights: Floats, blocked: NDArray[np.bool_] | None, bits: Bits) -> Codes:
    """Code numbers from 0 to 1 by their square root.

    Args:
        weights: any shape; what lies outside of 0 to 1 is clipped, NaN counts as 0.
        blocked: broadcasts to that shape, True where nothing may be seen; None is nowhere.
        bits: the width of a code.

    Returns:
        The same shape, uint8 or uint16: 0 to 2**bits - 2, or 2**bits - 1 where blocked.

    >>> weight_codes(np.array([0.0, 0.25, 1.0], np.float32), None, 8)
    array([  0, 127, 254], dtype=uint8)
    """
    top = 2**bits - 2
    shares = np.sqrt(np.clip(np.nan_to_num(weights), 0.0, 1.0))
    codes: Codes = (shares * top + 0.5).astype(np.uint16 if bits == 16 else np.uint8)
    if blocked is not None:
        codes[np.broadcast_to(blocked, codes.shape)] = top + 1
    return codes


def signed_codes(numbers: Floats, limit: float, bits: Literal[8, 16] = 8) -> Codes:
    """Code numbers from `-limit` to `limit`; the middle code is 0.

    Args:
        numbers: any shape; what lies outside is clipped, NaN counts as 0.
        limit: positive.
        bits: the width of a code. With 16 a readout's third digit is right.

    Returns:
        The same shape, uint8 or uint16, 0 to 2**bits - 2.

    >>> signed_codes(np.array([-2.0, 0.0, 2.0], np.float32), 2.0)
    array([  0, 127, 254], dtype=uint8)
    """
    half = 2 ** (bits - 1) - 1
    shares = np.clip(np.nan_to_num(numbers).astype(np.float64) / limit, -1.0, 1.0)
    codes: Codes = ((shares + 1.0) * half + 0.5).astype(np.uint16 if bits == 16 else np.uint8)
    return codes


def as_read(number: float, limit: float, bits: Literal[8, 16] = 16) -> float:
    """The number that the front end reads in the code of this one, for words beside it.

    >>> as_read(0.5, 1.0, 8)
    0.5039370078740157
    """
    code = int(signed_codes(np.array([number], np.float32), limit, bits)[0])
    return float((2 * (code / (2**bits - 2)) - 1) * limit)


def pack(codes: Codes, bits: Bits) -> bytes:
    """Turn codes into bytes, little-endian; of two 4-bit codes in a byte the first is the lower.

    Args:
        codes: `(..., n)`; with 4 bits each row of n starts a new byte.
        bits: the width of a code.

    Returns:
        The bytes.

    >>> pack(np.array([1, 2, 3], np.uint8), 4).hex()
    '2103'
    """
    if bits == 16:
        return codes.astype("<u2").tobytes()
    if bits == 8:
        return codes.tobytes()
    if codes.shape[-1] % 2:
        codes = np.concatenate([codes, np.zeros_like(codes[..., :1])], axis=-1)
    return (codes[..., 0::2] | (codes[..., 1::2] << 4)).astype(np.uint8).tobytes()


def pack_floats(numbers: NDArray[np.floating]) -> bytes:
    """Turn numbers into float32 bytes, little-endian."""
    return numbers.astype("<f4").tobytes()


def pack_bits(bits: NDArray[np.bool_]) -> bytes:
    """Turn booleans into bits, row by row; the first is the lowest bit of the first byte.

    >>> pack_bits(np.array([[True, False], [False, True]])).hex()
    '09'
    """
    return np.packbits(bits.reshape(-1), bitorder="little").tobytes()


def unpack_bits(data: bytes, rows: int, columns: int) -> NDArray[np.bool_]:
    """The inverse of `pack_bits`.

    Raises:
        ValueError: too few or too many bytes for `rows` times `columns` bits.
    """
    if len(data) != (rows * columns + 7) // 8:
        raise ValueError(f"{rows} x {columns} bits do not fit {len(data)} bytes.")
    bits = np.unpackbits(np.frombuffer(data, np.uint8), count=rows * columns, bitorder="little")
    return bits.reshape(rows, columns).astype(bool)
