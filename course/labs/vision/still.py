"""The vision lab's still picture, for places without a front end."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from course.labs.colours import SIGNED, palette
from course.labs.still_plots import document, words
from course.labs.vision.compute import DARKEST, SIDE, Reader, Result, Selection, Settings
from course.labs.vision.view import LEAST_LIMIT, drawing, looking, named

_COLOURS = palette(SIGNED)


def still(
    result: Result,
    asked: Settings,
    chosen: Selection,
    reader: Reader,
    names: Sequence[str],
    label: str,
) -> str:
    """The drawing, the sentence, both heat maps and the bars, as an SVG."""
    looks, _ = result.attention(chosen.layer, chosen.head, chosen.query)
    limit = max(LEAST_LIMIT, float(np.abs(result.effects).max()))
    middle = 127.5
    heat = [_COLOURS[round(middle * (1 + float(w) ** 0.5))] for w in looks.clip(0, 1)]
    change = [_COLOURS[round(middle * (1 + float(e) / limit))] for e in result.effects]
    parts = [
        words(10, 20, drawing(asked, reader, names), bold=True),
        _picture(10, 30, 24, result, asked, reader),
        words(240, 20, f"The answer: {named(result.chances, names)}", bold=True),
        *_bars(240, 30, result, names),
        words(10, 260, "What the model reads, patch by patch", bold=True),
        *_sentence(10, 270, result, asked, reader),
    ]
    top = 270 + 52 * -(-reader.count // 16) + 24
    parts += [
        words(10, top, looking(chosen, reader), bold=True),
        _picture(10, top + 10, 24, result, asked, reader, heat),
        words(430, top, "Effect of occluding one patch on the answer", bold=True),
        _picture(430, top + 10, 24, result, asked, reader, change),
        words(430, top + 222, f"blue: down to −{limit:.2f}; orange: up to +{limit:.2f}"),
        words(10, top + 222, "white: 0; the darker, the heavier"),
    ]
    return document(800, top + 236, label, parts)


def _square(x: float, y: float, side: float, fill: str, more: str = "") -> str:
    return f'<rect x="{x:g}" y="{y:g}" width="{side:.3g}" height="{side:.3g}" fill="{fill}"{more}/>'


def _grey(share: float) -> str:
    light = round(255 * (1 - min(share, 1.0)))
    return f"rgb({light},{light},{light})"


def _picture(
    x: float,
    y: float,
    cell: int,
    result: Result,
    asked: Settings,
    reader: Reader,
    heat: Sequence[tuple[int, int, int]] | None = None,
) -> str:
    """The 64 pixels: grey by their ink, or squares of ink on the patches' colours."""
    parts = []
    for i, level in enumerate(result.levels.tolist()):
        row, column = divmod(i, SIDE)
        patch = row // reader.patch * reader.across + column // reader.patch
        share, left, top = level / DARKEST, x + column * cell, y + row * cell
        if heat is None:
            hidden = patch in asked.occluded
            parts.append(_square(left, top, cell, _grey(reader.grey if hidden else share)))
            continue
        parts.append(_square(left, top, cell, "rgb({},{},{})".format(*heat[patch])))
        dot = 0.68 * cell * share**0.5
        if share and patch not in asked.occluded:
            at = (cell - dot) / 2
            parts.append(_square(left + at, top + at, dot, "#101010", ' stroke="#ffffff"'))
    wide = reader.patch * cell
    for number in range(reader.count):
        row, column = divmod(number, reader.across)
        border = ' stroke="#606060"'
        parts.append(_square(x + column * wide, y + row * wide, wide, "none", border))
        if number in asked.occluded:
            left, top = x + column * wide, y + row * wide
            parts.append(
                f'<path d="M{left:g} {top:g}l{wide} {wide}m0 {-wide}l{-wide} {wide}" stroke="#303030"/>'
            )
    return "".join(parts)


def _sentence(x: float, y: float, result: Result, asked: Settings, reader: Reader) -> list[str]:
    """The patches in the order in which they are read, with their numbers."""
    parts, wide = [], 36
    image = result.levels.reshape(SIDE, SIDE)
    for place, patch in enumerate(result.order.tolist()):
        left, top = x + (wide + 8) * (place % 16), y + 52 * (place // 16)
        row, column = (each * reader.patch for each in divmod(patch, reader.across))
        pixel = wide / reader.patch
        for i in range(reader.patch):
            for j in range(reader.patch):
                share = image[row + i, column + j] / DARKEST
                fill = _grey(reader.grey if patch in asked.occluded else share)
                parts.append(_square(left + j * pixel, top + i * pixel, pixel, fill))
        parts.append(_square(left, top, wide, "none", ' stroke="#606060"'))
        parts.append(words(left + wide / 2, top + wide + 13, str(patch), "middle"))
    return parts


def _bars(x: float, y: float, result: Result, names: Sequence[str]) -> list[str]:
    parts = []
    step = min(20.0, 200 / max(len(names), 1))
    for i, (name, chance) in enumerate(zip(names, result.chances.tolist(), strict=True)):
        top = y + step * i
        parts.append(words(x + 34, top + 13, name, "end"))
        parts.append(
            f'<rect x="{x + 42:g}" y="{top + 3:g}" width="{max(300 * chance, 1):.1f}" '
            f'height="{step - 6:g}" fill="#4477aa"/>'
        )
        parts.append(words(x + 48 + 300 * chance, top + 13, f"{chance:.3f}"))
    return parts
