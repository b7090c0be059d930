"""The shape tracer for places without a front end: the chosen step's picture, and every shape."""

from __future__ import annotations

import base64

import numpy as np

from course.labs.shapes.settings import Selection
from course.labs.shapes.steps import KINDS
from course.labs.shapes.trace import Trace
from course.labs.shapes.view import WORDS, group, picture, shape
from course.labs.still import Indices, Placed, Written, enlarge, png, shades, svg

_LINE, _LEFT = 16, 470


def still(trace: Trace, chosen: Selection, title: str) -> dict[str, str]:
    """Pictures by MIME type; the same trace gives the same bytes."""
    pixels = _pixels(trace, chosen)
    return {
        "image/svg+xml": _svg(trace, chosen, title, pixels),
        "image/png": base64.b64encode(
            png(enlarge(pixels, max(1, 320 // pixels.shape[1])))
        ).decode(),
    }


def _pixels(trace: Trace, chosen: Selection) -> Indices:
    """The chosen step; of tokens and ids, the vectors that they become. Bright is a large amount."""
    number = chosen.step
    while trace.steps[number].kind in (*WORDS, "padding"):
        number += 1
    cells = picture(trace, number, chosen).cells
    known = np.isfinite(cells)
    limit = float(np.abs(cells[known]).max()) if known.any() else 1.0
    amounts = np.where(known, np.abs(cells), 0) / (limit or 1.0)
    return shades(amounts.astype(np.float32), ~known)


def _svg(trace: Trace, chosen: Selection, title: str, pixels: Indices) -> str:
    """Every step's shape on the left, for one layer; the chosen step's picture on the right."""
    layer = trace.steps[chosen.step].layer or 0
    shown = [i for i, step in enumerate(trace.steps) if step.layer in (None, layer)]
    texts = [Written(8, 18, title)]
    for line, i in enumerate(shown):
        step, y = trace.steps[i], 44 + line * _LINE
        mark = "▶ " if i == chosen.step else ""
        texts.append(Written(8, y, f"{mark}{group(step)}"))
        texts.append(Written(86, y, KINDS[step.kind].name))
        texts.append(Written(_LEFT - 40, y, shape(step), "end"))
    cell = max(4, min(12, 480 // pixels.shape[1]))
    width, height = cell * pixels.shape[1], cell * pixels.shape[0]
    name = KINDS[trace.steps[chosen.step].kind].name
    texts.append(Written(_LEFT, 44, f"{name}: the amounts of its numbers"))
    bottom = max(44 + len(shown) * _LINE, 60 + height) + 8
    pictures = [Placed(_LEFT, 54, width, height, pixels)]
    return svg(max(_LEFT + width, _LEFT + 260) + 8, bottom, title, pictures, texts)
