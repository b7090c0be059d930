"""Where the names of a map's points stand, so that they cover neither one another nor the points."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["sides"]

_LETTER, _LINE, _MARK = 7.0, 14.0, 5.0  # pixels: a letter's width, a line's height, half a marker
_ROUNDS = 3
_SIDES = {  # plotly's words for the side: the middle of the name, in halves of its width and height
    "top center": (0, 1),
    "middle right": (1, 0),
    "middle left": (-1, 0),
    "bottom center": (0, -1),
    "top right": (1, 1),
    "top left": (-1, 1),
    "bottom right": (1, -1),
    "bottom left": (-1, -1),
}

Box = tuple[float, float, float, float]  # left, bottom, right, top


def sides(xy: Sequence[Sequence[float]], names: Sequence[str], room: tuple[int, int]) -> list[str]:
    """For each point plotly's `textposition`: the side where its name covers least.

    Args:
        xy: N points, drawn with one scale on both axes.
        names: N names.
        room: width and height of the map in pixels.
    """
    spans = [max(column) - min(column) or 1.0 for column in zip(*xy, strict=True)]
    scale = min(pixels / span for pixels, span in zip(room, spans, strict=True))
    points = [(x * scale, y * scale) for x, y in xy]
    marks = [_around(x, y, 2 * _MARK, 2 * _MARK) for x, y in points]
    choices = [
        {side: _box(x, y, name, side) for side in _SIDES}
        for (x, y), name in zip(points, names, strict=True)
    ]
    chosen: list[str] = [""] * len(points)
    for _ in range(_ROUNDS):  # from the second round on, a name knows where all the others stand
        for place, boxes in enumerate(choices):
            taken = marks + [
                choices[other][side] for other, side in enumerate(chosen) if side and other != place
            ]
            chosen[place] = min(_SIDES, key=lambda side: _covered(boxes[side], taken))
    return chosen


def _box(x: float, y: float, name: str, side: str) -> Box:
    across, up = _SIDES[side]
    width = _LETTER * len(name)
    return _around(x + across * (_MARK + width / 2), y + up * (_MARK + _LINE / 2), width, _LINE)


def _around(x: float, y: float, width: float, height: float) -> Box:
    return x - width / 2, y - height / 2, x + width / 2, y + height / 2


def _covered(box: Box, taken: Sequence[Box]) -> float:
    """How much a box covers of others."""
    return sum(_common(box, other) for other in taken)


def _common(one: Box, other: Box) -> float:
    """The area that two boxes share."""
    across = min(one[2], other[2]) - max(one[0], other[0])
    up = min(one[3], other[3]) - max(one[1], other[1])
    return max(0.0, across) * max(0.0, up)
