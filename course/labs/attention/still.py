"""The attention lab for places without a front end: a small SVG, a PNG, and words."""

from __future__ import annotations

import base64
import textwrap

import numpy as np
import torch
import torch.nn.functional as F

from course.labs.attention.compute import Arrays
from course.labs.attention.settings import Selection
from course.labs.still import (
    Indices,
    Placed,
    Stroke,
    Written,
    beneath,
    enlarge,
    png,
    shades,
    sheet,
    svg,
)

_SMALL = 20  # the side of a head's small picture, in pixels
_LONGEST_TITLE = 110  # letters
_MOST_WORDS = 32  # between which lines are drawn
_LIGHTEST = 0.05  # the weight of a line
_PITCH = 14  # of the words beside the lines, in SVG units


def still(arrays: Arrays, chosen: Selection, title: str) -> dict[str, str]:
    """Pictures by MIME type; the same arrays give the same bytes.

    Args:
        arrays: what was computed.
        chosen: the head that is drawn large.
        title: the line above.
    """
    small, large = small_pictures(arrays), large_picture(arrays, chosen)
    factor = max(1, 320 // large.shape[0])
    both = beneath(enlarge(small, 2), enlarge(large, factor))
    return {
        "image/svg+xml": _svg(arrays, chosen, title, small, large),
        "image/png": base64.b64encode(png(both)).decode(),
    }


def small_pictures(arrays: Arrays) -> Indices:
    """Every layer and head, on one sheet."""
    seen = torch.from_numpy(np.where(arrays.blocked[:, None], np.float32(-1), arrays.weights))
    side = min(_SMALL, seen.shape[-1])
    small = F.adaptive_max_pool2d(seen, side).numpy()  # (N, H, side, side)
    return sheet(shades(small, small < 0))


def large_picture(arrays: Arrays, chosen: Selection) -> Indices:
    """The chosen head, a pixel a weight."""
    return shades(arrays.weights[chosen.layer, chosen.head], arrays.blocked[chosen.layer])


def _svg(arrays: Arrays, chosen: Selection, title: str, small: Indices, large: Indices) -> str:
    """All heads on the left, the chosen one with its tokens on the right."""
    labels = arrays.tokens.labels
    grid_width = 380
    grid_height = round(grid_width * small.shape[0] / small.shape[1])
    cell = max(3, min(24, 400 // len(labels)))
    left, top, side = grid_width + 110, 150, cell * len(labels)
    titles = textwrap.wrap(title, _LONGEST_TITLE)[:2]
    texts = [Written(8, 18 + 15 * i, line) for i, line in enumerate(titles)]
    texts.append(
        Written(
            8, 58, f"Layers 0 to {arrays.layers - 1} (down), heads 0 to {arrays.heads - 1} (across)"
        )
    )
    texts.append(
        Written(left, 58, f"Layer {chosen.layer}, head {chosen.head}: queries down, keys across")
    )
    if cell >= 9:
        for i, label in enumerate(labels):
            at = (i + 0.5) * cell + 4
            texts.append(Written(left - 6, top + at, label, "end"))
            texts.append(Written(left + at, top - 6, label, turned=True))
    pictures = [
        Placed(8, 68, grid_width, grid_height, small),
        Placed(left, top, side, side, large),
    ]
    width = max(left + side, left + 260) + 8
    below = 68 + grid_height + 34
    words, strokes = flow(arrays, chosen, below)
    bottom = max(top + side, below + _PITCH * len(words) // 2)
    return svg(width, bottom + 10, title, pictures, [*texts, *words], strokes)


def flow(arrays: Arrays, chosen: Selection, top: int) -> tuple[list[Written], list[Stroke]]:
    """Words and lines of the chosen head, below `top`; nothing of a long text."""
    labels = arrays.tokens.labels
    if len(labels) > _MOST_WORDS:
        return [], []
    weights = arrays.weights[chosen.layer, chosen.head]  # (L, L)
    words = [
        Written(8, top - 8, f"The same head from queries to keys: weights of {_LIGHTEST} and more")
    ]
    for i, label in enumerate(labels):
        at = top + (i + 0.5) * _PITCH
        words += [Written(104, at + 4, label, "end"), Written(286, at + 4, label)]
    strokes = []
    for i, j in np.argwhere((weights >= _LIGHTEST) & ~arrays.blocked[chosen.layer]):
        weight = min(float(weights[i, j]), 1.0)
        heights = [top + (at + 0.5) * _PITCH for at in (int(i), int(j))]
        strokes.append(Stroke(110, heights[0], 280, heights[1], 0.7 + 3.3 * weight, weight**0.5))
    return words, strokes
