"""Markers, dashes and hatches of a still picture, in plotly's forms and proportions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import groupby, pairwise

from course.figures.still.known import Unknown
from course.figures.still.words import number

__all__ = ["curve", "hatch", "hatched", "markers"]

Place = tuple[float, float]
_DASHES = {
    "solid": (),
    "dot": (1, 1),
    "dash": (3, 3),
    "longdash": (5, 5),
    "dashdot": (3, 1, 1, 1),
    "longdashdot": (5, 2, 1, 2),
}
_MANY = 1500  # points of a line, from which on several stand in one column of pixels
_HATCH = 11.0  # pixels between two lines of a hatch


def _star() -> list[Place]:
    turns = [(1.4 if point % 2 == 0 else 0.56, math.pi * point / 5) for point in range(10)]
    return [(far * math.sin(turn), -far * math.cos(turn)) for far, turn in turns]


_ARM = 0.4
_CROSS = [
    (x * 1.2, y * 1.2)
    for x, y in [
        (_ARM / 1.2, -1), (_ARM / 1.2, -_ARM / 1.2), (1, -_ARM / 1.2), (1, _ARM / 1.2),
        (_ARM / 1.2, _ARM / 1.2), (_ARM / 1.2, 1), (-_ARM / 1.2, 1), (-_ARM / 1.2, _ARM / 1.2),
        (-1, _ARM / 1.2), (-1, -_ARM / 1.2), (-_ARM / 1.2, -_ARM / 1.2), (-_ARM / 1.2, -1),
    ]
]  # fmt: skip
_OUTLINES: dict[str, list[Place]] = {  # in halves of a marker's size
    "square": [(-1, -1), (1, -1), (1, 1), (-1, 1)],
    "diamond": [(0, -1.3), (1.3, 0), (0, 1.3), (-1.3, 0)],
    "triangle-up": [(0, -1.155), (1, 0.577), (-1, 0.577)],
    "cross": _CROSS,
    "x": [((x - y) * 0.7071, (x + y) * 0.7071) for x, y in _CROSS],
    "star": _star(),
}


def markers(places: Sequence[Place], symbol: object, size: float, fill: str) -> str:
    """All markers of a trace, as one path."""
    half = size / 2
    if symbol == "circle":
        outline = "".join(
            f"a{number(half)} {number(half)} 0 1 0 {end} 0" for end in ("{0}", "-{0}")
        )
        outline = outline.format(number(size)) + "z"
        starts = [(x - half, y) for x, y in places]
    else:
        points = _OUTLINES.get(str(symbol))
        if points is None:
            raise Unknown(f"marker {symbol!r}")
        steps = [(half * (b[0] - a[0]), half * (b[1] - a[1])) for a, b in pairwise(points)]
        outline = "".join(f"l{x:.2f} {y:.2f}" for x, y in steps) + "z"
        starts = [(x + half * points[0][0], y + half * points[0][1]) for x, y in places]
    path = "".join(f"M{number(x)} {number(y)}{outline}" for x, y in starts)
    return f'<path fill="{fill}" d="{path}"/>'


def curve(places: Sequence[Place], ink: str, width: float, dash: object) -> str:
    """A line through the places; it breaks where one of them is missing."""
    steps, drawing = [], False
    for x, y in _thinned(places) if len(places) > _MANY else places:
        there = math.isfinite(x) and math.isfinite(y)
        if there:
            steps.append(f"{'L' if drawing else 'M'}{number(x)} {number(y)}")
        drawing = there
    if dash not in _DASHES:
        raise Unknown(f"dash {dash!r}")
    lengths = " ".join(f"{part * max(3.0, width):g}" for part in _DASHES[str(dash)])
    dashed = f' stroke-dasharray="{lengths}"' if lengths else ""
    return (
        f'<path fill="none" stroke="{ink}" stroke-width="{width:g}"{dashed} d="{"".join(steps)}"/>'
    )


def _thinned(places: Sequence[Place]) -> list[Place]:
    """Of points in one column of pixels, the first, the lowest, the highest and the last."""
    kept: list[Place] = []
    for _, group in groupby(places, key=_column):
        column = list(group)
        heights = [y for _, y in column]
        ends = heights.index(min(heights)), heights.index(max(heights))
        kept += [column[place] for place in sorted({0, *ends, len(column) - 1})]
    return kept


def _column(place: Place) -> int | None:
    return round(place[0]) if math.isfinite(sum(place)) else None


def hatch(shape: str, left: float, top: float, width: float, height: float) -> str:
    """The lines, or dots, of a hatch within a box, as the steps of a path."""
    if shape not in ("", "/", "\\", "x", "."):
        raise Unknown(f"pattern {shape!r}")
    lines: list[tuple[Place, Place]] = []
    count = range(1, math.ceil((width + height) / _HATCH))
    for far in (_HATCH * place for place in count if shape in ("/", "\\", "x")):
        start = max(0.0, far - height), min(far, height)
        end = min(far, width), max(0.0, far - width)
        if shape != "\\":
            lines.append((start, end))
        if shape != "/":
            lines.append(((width - start[0], start[1]), (width - end[0], end[1])))
    if shape == ".":
        columns, rows = max(1, int(width / _HATCH)), int(height / _HATCH)
        aside = (width - (columns - 1) * _HATCH) / 2
        dots = [
            (aside + _HATCH * column, height - _HATCH * (row + 0.5))
            for column in range(columns)
            for row in range(rows)
        ]
        lines = [(dot, dot) for dot in dots]
    return "".join(
        f"M{number(left + a)} {number(top + b)}L{number(left + c)} {number(top + d)}"
        for (a, b), (c, d) in lines
    )


def hatched(path: str, shape: str) -> str:
    """The hatch over the bars of a trace."""
    if not path:
        return ""
    width = ' stroke-width="4" stroke-linecap="round"' if shape == "." else ' stroke-width="1.5"'
    return f'<path fill="none" stroke="#ffffff" stroke-opacity="0.65"{width} d="{path}"/>'
