"""Codes and bytes come back as what they were, as near as their width allows."""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from course.labs.colours import SIGNED, WEIGHTS, palette
from course.labs.packing import pack, pack_bits, signed_codes, unpack_bits, weight_codes
from course.labs.still import png, shades, sheet
from tests.labs.front import decode_codes

MATRIX = arrays.array_shapes(min_dims=2, max_dims=2, max_side=9)


@pytest.mark.parametrize("bits", [4, 8, 16])
@given(data=st.data())
def test_weights_come_back(bits: Any, data: st.DataObject) -> None:
    shape = data.draw(MATRIX)
    weights = data.draw(arrays.arrays(np.float32, shape, elements=st.floats(0, 1, width=32)))
    blocked = data.draw(arrays.arrays(np.bool_, shape))
    packed = pack(weight_codes(weights, blocked, bits).reshape(1, -1), bits)
    codes = decode_codes(packed, bits)[: weights.size].reshape(shape)
    top = 2**bits - 2
    assert (codes[blocked] == top + 1).all()
    assert (codes[~blocked] <= top).all()
    distance = np.abs(np.sqrt(weights) - codes / top)[~blocked]
    assert (distance <= 0.5 / top + 1e-6).all()


def test_what_is_no_weight_is_clipped() -> None:
    odd = np.array([-1, 2, np.nan, np.inf, -np.inf], np.float32)
    assert weight_codes(odd, None, 8).tolist() == [0, 254, 0, 254, 0]
    assert signed_codes(odd, 1.0).tolist() == [0, 254, 127, 254, 0]
    assert signed_codes(odd, 1.0, 16).tolist() == [0, 65534, 32767, 65534, 0]


def test_each_picture_of_an_odd_size_begins_with_a_new_byte() -> None:
    codes = np.arange(18, dtype=np.uint8).reshape(2, 9) % 16
    data = pack(codes, 4)
    assert len(data) == 10
    assert decode_codes(data[5:], 4)[:9].tolist() == codes[1].tolist()


@given(arrays.arrays(np.bool_, MATRIX))
def test_bits_come_back(bits: np.ndarray) -> None:
    assert np.array_equal(unpack_bits(pack_bits(bits), *bits.shape), bits)


def test_too_few_bits_are_refused() -> None:
    with pytest.raises(ValueError, match="do not fit"):
        unpack_bits(b"\0", 3, 3)


def luminance(colour: tuple[int, int, int]) -> float:
    """Relative luminance; WCAG 2.2, "relative luminance"."""
    shares = [c / 255 for c in colour]
    linear = [s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares]
    return sum(w * s for w, s in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_scales_can_be_read_without_colours() -> None:
    amounts = [luminance(colour) for colour in palette(WEIGHTS)]
    assert amounts == sorted(amounts)
    signs = [luminance(colour) for colour in palette(SIGNED, 255)]
    assert signs[:128] == sorted(signs[:128])
    assert signs[127:] == sorted(signs[127:], reverse=True)


def test_a_png_is_what_its_standard_says() -> None:
    weights = np.linspace(0, 1, 12, dtype=np.float32).reshape(3, 4)
    picture = shades(weights, np.zeros((3, 4), bool))
    data = png(picture)
    assert data[12:16] == b"IHDR"
    assert int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big") == (4, 3)
    start = data.index(b"IDAT")
    size = int.from_bytes(data[start - 4 : start], "big")
    body = data[start + 4 : start + 4 + size]
    assert int.from_bytes(data[start + 4 + size :][:4], "big") == zlib.crc32(b"IDAT" + body)
    lines = np.frombuffer(zlib.decompress(body), np.uint8).reshape(3, 5)
    assert (lines[:, 0] == 2).all()  # each line is its difference from the one above
    assert np.array_equal(lines[:, 1:].cumsum(axis=0, dtype=np.uint8), picture)


def test_a_sheet_keeps_every_picture() -> None:
    pictures = np.arange(2 * 3 * 4 * 4, dtype=np.uint8).reshape(2, 3, 4, 4)
    paper = sheet(pictures)
    assert np.array_equal(paper[8:12, 14:18], pictures[1, 2])
