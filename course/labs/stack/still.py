"""The stack lab for places without a front end: each layer's similarity matrix, and words."""

from __future__ import annotations

import base64
import textwrap

import numpy as np

from course.labs.stack.compute import Walk
from course.labs.stack.settings import Selection
from course.labs.still import Indices, Placed, Written, beneath, enlarge, png, shades, sheet, svg

_ACROSS = 5  # small pictures in a line
_LONGEST_TITLE = 110  # letters


def still(walk: Walk, chosen: Selection, title: str) -> dict[str, str]:
    """Pictures by MIME type; the same walk gives the same bytes."""
    small, large = small_pictures(walk), _picture(walk, chosen.layer_shown)
    both = beneath(enlarge(small, 2), enlarge(large, max(1, 320 // large.shape[0])))
    return {
        "image/svg+xml": _svg(walk, chosen, title, small, large),
        "image/png": base64.b64encode(png(both)).decode(),
    }


def small_pictures(walk: Walk) -> Indices:
    """The similarity matrices of the input and of each layer, from left to right, then down."""
    count = walk.depth + 1
    rows = -(-count // _ACROSS)
    side = walk.cosines.shape[-1]
    pictures = np.full((rows * _ACROSS, side, side), np.uint8(255), dtype=np.uint8)
    pictures[:count] = [_picture(walk, layer) for layer in range(count)]
    pictures[pictures == 255] = shades(np.zeros(1, np.float32), np.ones(1, bool))[0] + 1  # paper
    return sheet(pictures.reshape(rows, _ACROSS, side, side))


def _picture(walk: Walk, layer: int) -> Indices:
    cosines = np.nan_to_num(walk.cosines[layer])
    return shades(cosines.clip(min=0) ** 2, ~np.isfinite(walk.cosines[layer]))  # linear shades


def _svg(walk: Walk, chosen: Selection, title: str, small: Indices, large: Indices) -> str:
    labels, width = walk.labels, 400
    height = round(width * small.shape[0] / small.shape[1])
    cell = max(4, min(20, 340 // len(labels)))
    left, top, side = width + 110, 150, cell * len(labels)
    titles = textwrap.wrap(title, _LONGEST_TITLE)[:3]
    texts = [Written(8, 18 + 15 * i, line) for i, line in enumerate(titles)]
    texts.append(
        Written(8, 66, f"Cosines of all tokens: the input, then after layers 1 to {walk.depth}")
    )
    texts.append(Written(left, 66, f"After layer {chosen.layer_shown}; bright is alike"))
    if cell >= 9:
        for i, label in enumerate(labels):
            at = (i + 0.5) * cell + 4
            texts.append(Written(left - 6, top + at, label, "end"))
            texts.append(Written(left + at, top - 6, label, turned=True))
    pictures = [Placed(8, 76, width, height, small), Placed(left, top, side, side, large)]
    whole = max(left + side, left + 260) + 8
    return svg(whole, max(top + side, 76 + height) + 10, title, pictures, texts)
