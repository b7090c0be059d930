"""Still pictures of matrices, for places without a front end: GitHub, nbconvert, a PDF.

Written with the standard library and numpy alone; the same input gives the same bytes.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from course.labs.colours import BLOCKED, WEIGHTS, palette
from course.system.markup import escape
from course.system.png import png as write_png

Indices = NDArray[np.uint8]
_SHADES = 32  # few, so that a picture stays small
_BLOCKED, _PAPER = _SHADES, _SHADES + 1
_PALETTE = [*palette(WEIGHTS, _SHADES), BLOCKED, (255, 255, 255)]


def shades(weights: NDArray[np.float32], blocked: NDArray[np.bool_]) -> Indices:
    """Numbers from 0 to 1 as places in the palette, by their square root; blocked ones grey.

    Args:
        weights: any shape.
        blocked: broadcasts to it, True where blocked.

    Returns:
        The same shape.
    """
    places = (np.sqrt(np.clip(weights, 0, 1)) * (_SHADES - 1) + 0.5).astype(np.uint8)
    places[np.broadcast_to(blocked, places.shape)] = _BLOCKED
    return places


def sheet(pictures: Indices, gap: int = 2) -> Indices:
    """Lay `(N, H, side, side)` pictures out in rows and columns, with white between them."""
    rows, columns, height, width = pictures.shape
    paper = np.full((rows, columns, height + gap, width + gap), _PAPER, dtype=np.uint8)
    paper[:, :, gap:, gap:] = pictures
    return paper.transpose(0, 2, 1, 3).reshape(rows * (height + gap), columns * (width + gap))


def enlarge(picture: Indices, factor: int) -> Indices:
    """Each pixel becomes `factor` by `factor` pixels."""
    return picture.repeat(factor, axis=0).repeat(factor, axis=1)


def beneath(first: Indices, second: Indices, gap: int = 8) -> Indices:
    """The second picture beneath the first, on white."""
    width = max(first.shape[1], second.shape[1])
    paper = np.full((first.shape[0] + gap + second.shape[0], width), _PAPER, dtype=np.uint8)
    paper[: first.shape[0], : first.shape[1]] = first
    paper[first.shape[0] + gap :, : second.shape[1]] = second
    return paper


def png(picture: Indices) -> bytes:
    """A PNG of places in the palette, `(height, width)`."""
    return write_png(picture, _PALETTE)


@dataclass(frozen=True)
class Placed:
    """A picture's place in an SVG, its size in SVG units, and its pixels."""

    x: int
    y: int
    width: int
    height: int
    picture: Indices


@dataclass(frozen=True)
class Written:
    """A text's place in an SVG; `turned` ones run upwards."""

    x: float
    y: float
    text: str
    anchor: str = "start"
    turned: bool = False


@dataclass(frozen=True)
class Stroke:
    """A straight line in an SVG; its share, from 0 to 1, is its opacity."""

    x: float
    y: float
    to_x: float
    to_y: float
    width: float
    share: float


def svg(
    width: int,
    height: int,
    label: str,
    pictures: Sequence[Placed],
    texts: Sequence[Written],
    strokes: Sequence[Stroke] = (),
) -> str:
    """An SVG that holds pictures as PNG, texts as text, and lines, on white."""
    body = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" role="img" aria-label="{escape(label)}" '
        'font-family="sans-serif" font-size="12">',
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
    ]
    for placed in pictures:
        data = base64.b64encode(png(placed.picture)).decode()
        body.append(
            f'<image x="{placed.x}" y="{placed.y}" width="{placed.width}" '
            f'height="{placed.height}" preserveAspectRatio="none" image-rendering="pixelated" '
            f'style="image-rendering:pixelated" href="data:image/png;base64,{data}"/>'
        )
    for text in texts:
        turn = f' transform="rotate(-90 {text.x:g} {text.y:g})"' if text.turned else ""
        body.append(
            f'<text x="{text.x:g}" y="{text.y:g}" text-anchor="{text.anchor}" fill="#222222"{turn}>'
            f"{escape(text.text)}</text>"
        )
    body.extend(
        f'<path d="M{line.x:g} {line.y:g}L{line.to_x:g} {line.to_y:g}" stroke="#1a1083" '
        f'stroke-width="{line.width:.3g}" stroke-opacity="{line.share:.2g}"/>'
        for line in strokes
    )
    return "".join([*body, "</svg>"])
