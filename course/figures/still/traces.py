"""What the traces of a still picture need of their axes, and how each is drawn."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from plotly.colors import sample_colorscale, unlabel_rgb

from course.figures.still import shapes
from course.figures.still.axes import Axis
from course.figures.still.known import Unknown, colour, values
from course.figures.still.words import number, width, written
from course.system.png import png

__all__ = ["DRAW", "Drawn", "extremes", "hexes", "numbers_of", "span"]

_BARS = 0.8  # the part of a place that its bars take
_BOXES = 100  # a matrix of more cells is drawn as a picture in pixels, or it would cost too much
_LEVELS = 255  # colours of such a picture; one more for cells without a number
_WHITE = (255, 255, 255)
_LETTERS = 12


@dataclass(frozen=True)
class Drawn:
    """A trace, its number among all, its default colour, and its place among the bars beside it."""

    trace: Mapping[str, Any]
    colour: str
    place: int = 0
    beside: int = 1

    @property
    def kind(self) -> str:
        """Plotly's word for it."""
        return str(self.trace.get("type", "scatter"))

    @property
    def mode(self) -> str:
        """Of a scatter: its parts, joined by +."""
        few = len(values(self.trace.get("y"))) < 20
        return str(self.trace.get("mode") or ("lines+markers" if few else "lines"))

    @property
    def ink(self) -> str:
        """The colour of its line, or of its markers where it has no line."""
        for part in ("line", "marker") if "lines" in self.mode else ("marker", "line"):
            given = (self.trace.get(part) or {}).get("color")
            if given is not None:
                return colour(given)
        return self.colour

    @property
    def marker_ink(self) -> str:
        """The colour of its markers."""
        return colour((self.trace.get("marker") or {}).get("color", self.ink))

    @property
    def size(self) -> float:
        """The size of its markers, in pixels."""
        size = (self.trace.get("marker") or {}).get("size", 6)
        if not isinstance(size, (int, float)):
            raise Unknown("markers of several sizes")
        return float(size)

    @property
    def symbol(self) -> Any:
        """Plotly's word for its markers."""
        return (self.trace.get("marker") or {}).get("symbol", "circle")

    @property
    def line(self) -> tuple[float, Any]:
        """Its width and its dash."""
        line = self.trace.get("line") or {}
        return float(line.get("width", 2)), line.get("dash", "solid")


def numbers_of(drawn: Drawn, letter: str) -> list[Any]:
    """The values of a trace on one of its axes."""
    if drawn.kind == "heatmap":
        return []
    given = drawn.trace.get(letter)
    if given is None and letter == "x":
        return list(range(len(values(drawn.trace.get("y")))))
    found = values(given)
    if any(isinstance(value, (list, bool)) for value in found):
        raise Unknown("values that are neither numbers nor names")
    return found


def extremes(drawn: Drawn, axis: Axis) -> tuple[float, float, float]:
    """The least and largest number on an axis and the pixels beside them; see `Axis.set_range`."""
    if drawn.kind == "heatmap":
        table = values(drawn.trace["z"])
        return -0.5, (len(table) if axis.upright else len(table[0])) - 0.5, 0.0
    found = [axis.scaled(value) for value in numbers_of(drawn, axis.name[0])]
    found = [value for value in found if not math.isnan(value)]
    if not found:
        return math.nan, math.nan, 0.0
    if drawn.kind == "bar":
        if not axis.upright:
            return min(found) - 0.5, max(found) + 0.5, 0.0
        if axis.log:
            raise Unknown("bars on a logarithmic axis")
        return min(0.0, *found), max(0.0, *found), -1.0
    markers = "markers" in drawn.mode
    return min(found), max(found), max(3.0, drawn.size / 1.6) if markers else 0.0


def hexes(scale: Any, shares: Sequence[float]) -> list[str]:
    """Colours of a colour scale at shares from 0 to 1."""
    try:
        found = sample_colorscale(scale, list(shares)) if shares else []
        return ["#" + "".join(f"{round(part):02x}" for part in unlabel_rgb(one)) for one in found]
    except (ValueError, TypeError, IndexError) as error:
        raise Unknown(f"colour scale {scale!r}") from error


# ------------------------------------------------------------------------------------------- heat map


def span(trace: Mapping[str, Any]) -> tuple[float, float]:
    """The numbers that have the first and the last colour of a heat map."""
    table = values(trace["z"])
    found = [cell for row in table for cell in row if cell is not None and math.isfinite(cell)]
    low = trace.get("zmin", min(found, default=0.0))
    high = trace.get("zmax", max(found, default=1.0))
    if not (math.isfinite(low) and math.isfinite(high)):
        raise Unknown("a colour scale without ends")
    return float(low), float(high)


def heatmap(drawn: Drawn, x: Axis, y: Axis) -> str:
    """Cells in the colours of the scale, and the texts in them."""
    trace = drawn.trace
    low, high = span(trace)
    table = [
        [
            math.nan if cell is None or not math.isfinite(cell)
            else min(1.0, max(0.0, (cell - low) / ((high - low) or 1.0)))
            for cell in values(row)
        ]
        for row in values(trace["z"])
    ]  # fmt: skip
    if len({len(row) for row in table}) != 1 or not table[0]:
        raise Unknown("a heat map whose rows differ in length")
    cells = len(table) * len(table[0])
    draw = _as_boxes if cells <= _BOXES else _as_pixels
    return draw(table, trace, x, y) + _texts(trace, x, y)


def _as_boxes(table: Sequence[Sequence[float]], trace: Mapping[str, Any], x: Axis, y: Axis) -> str:
    """A path for each colour; equal cells beside each other are one box where no gap parts them."""
    shares = sorted({share for row in table for share in row if not math.isnan(share)})
    colours = dict(zip(shares, hexes(trace["colorscale"], shares), strict=True))
    gaps = float(trace.get("xgap") or 0), float(trace.get("ygap") or 0)
    paths: dict[str, str] = {}
    for down, row in enumerate(table):
        across = 0
        while across < len(row):
            end = across + 1
            while not gaps[0] and end < len(row) and row[end] == row[across]:
                end += 1
            if row[across] in colours:
                ends = sorted((x.at(across - 0.5), x.at(end - 0.5)))
                sides = sorted((y.at(down - 0.5), y.at(down + 0.5)))
                wide, high = (
                    number(pair[1] - pair[0] - gap)
                    for pair, gap in zip((ends, sides), gaps, strict=True)
                )
                start = f"M{number(ends[0] + gaps[0] / 2)} {number(sides[0] + gaps[1] / 2)}"
                fill = colours[row[across]]
                paths[fill] = paths.get(fill, "") + f"{start}h{wide}v{high}h-{wide}z"
            across = end
    sharp = "" if all(gaps) else ' shape-rendering="crispEdges"'  # or a pale line parts the cells
    return "".join(f'<path fill="{fill}"{sharp} d="{path}"/>' for fill, path in paths.items())


def _as_pixels(table: Sequence[Sequence[float]], trace: Mapping[str, Any], x: Axis, y: Axis) -> str:
    """One pixel for each cell, scaled without smoothing, and white lines for the gaps."""
    shares = np.array(table)
    if y.at(0) > y.at(len(table)):  # the first row is at the bottom
        shares = shares[::-1]
    if x.at(0) > x.at(len(table[0])):
        shares = shares[:, ::-1]
    if len(np.unique(shares[~np.isnan(shares)])) > _LEVELS:
        shares = np.round(shares * (_LEVELS - 1)) / (_LEVELS - 1)
    found = np.unique(shares[~np.isnan(shares)])
    palette = [_channels(one) for one in hexes(trace["colorscale"], found.tolist())]
    places = np.where(np.isnan(shares), len(found), np.searchsorted(found, shares))
    data = base64.b64encode(png(places.astype(np.uint8), [*palette, _WHITE])).decode()
    left, right = sorted((x.at(-0.5), x.at(len(table[0]) - 0.5)))
    top, bottom = sorted((y.at(-0.5), y.at(len(table) - 0.5)))
    down = [
        f"M{number(x.at(i - 0.5))} {number(top)}V{number(bottom)}" for i in range(1, len(table[0]))
    ]
    across = [
        f"M{number(left)} {number(y.at(i - 0.5))}H{number(right)}" for i in range(1, len(table))
    ]
    lines = (
        f'<path stroke="#ffffff" stroke-width="{gap:g}" d="{"".join(steps)}"/>'
        for gap, steps in ((trace.get("xgap"), down), (trace.get("ygap"), across))
        if gap and steps
    )
    return (
        f'<image x="{number(left)}" y="{number(top)}" width="{number(right - left)}" '
        f'height="{number(bottom - top)}" preserveAspectRatio="none" image-rendering="pixelated" '
        f'style="image-rendering:pixelated" href="data:image/png;base64,{data}"/>{"".join(lines)}'
    )


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _texts(trace: Mapping[str, Any], x: Axis, y: Axis) -> str:
    """The texts of the cells, as large as they fit; none where they would be too small to read."""
    template = trace.get("texttemplate")
    if not template:
        return ""
    if template != "%{text}":
        raise Unknown(f"texttemplate {template!r}")
    table = [[str(text or "") for text in values(row)] for row in values(trace.get("text"))]
    widest = max((width(text, 1) for row in table for text in row), default=0.0) or 1.0
    cell = abs(x.at(1) - x.at(0)), abs(y.at(1) - y.at(0))
    given = (trace.get("textfont") or {}).get("size")
    size = given or min(_LETTERS, math.floor(cell[0] * 0.94 / widest), math.floor(cell[1] / 1.2))
    if size < 5:
        return ""
    return "".join(
        written(x.at(across), y.at(down), text, size)
        for down, row in enumerate(table)
        for across, text in enumerate(row)
    )


# ---------------------------------------------------------------------------------- lines and points


def scatter(drawn: Drawn, x: Axis, y: Axis) -> str:
    """Lines, markers and the texts beside them."""
    xs, ys = numbers_of(drawn, "x"), numbers_of(drawn, "y")
    places = [(x.at(one), y.at(other)) for one, other in zip(xs, ys, strict=False)]
    parts = []
    if "lines" in drawn.mode:
        wide, dash = drawn.line
        parts.append(shapes.curve(places, drawn.ink, wide, dash))
    there = [(a, b) for a, b in places if math.isfinite(a) and math.isfinite(b)]
    if "markers" in drawn.mode:
        parts.append(shapes.markers(there, drawn.symbol, drawn.size, drawn.marker_ink))
    if "text" in drawn.mode:
        parts += _beside(drawn, places)
    return "".join(parts)


def _beside(drawn: Drawn, places: Sequence[tuple[float, float]]) -> list[str]:
    texts = values(drawn.trace.get("text"))
    sides = drawn.trace.get("textposition", "middle center")
    sides = [sides] * len(texts) if isinstance(sides, str) else values(sides)
    far = drawn.size / 2 if "markers" in drawn.mode else 0.0
    parts = []
    for (a, b), text, side in zip(places, texts, sides, strict=False):
        if not (math.isfinite(a) and math.isfinite(b)):
            continue
        up, across = side.split()
        anchor = {"right": "start", "left": "end", "center": "middle"}[across]
        lifted = {"top": -(far + 0.75 * _LETTERS), "bottom": far + 0.75 * _LETTERS, "middle": 0.0}
        moved = {"right": far + 3, "left": -far - 3, "center": 0.0}[across]
        parts.append(written(a + moved, b + lifted[up], str(text), _LETTERS, anchor=anchor))
    return parts


# ----------------------------------------------------------------------------------------------- bars


def bars(drawn: Drawn, x: Axis, y: Axis) -> str:
    """Bars from 0, those of one place side by side."""
    marker = drawn.trace.get("marker") or {}
    fill = colour(marker.get("color", drawn.colour))
    shape = (marker.get("pattern") or {}).get("shape", "")
    each = _BARS / drawn.beside
    boxes, hatch = [], []
    for at, height in zip(numbers_of(drawn, "x"), numbers_of(drawn, "y"), strict=True):
        start = x.scaled(at) - _BARS / 2 + drawn.place * each
        if math.isnan(start) or math.isnan(y.scaled(height)):
            continue
        left, right = sorted((x.place(start), x.place(start + each)))
        top, bottom = sorted((y.at(height), y.at(0)))
        boxes.append(
            f"M{number(left)} {number(top)}h{number(right - left)}v{number(bottom - top)}"
            f"H{number(left)}z"
        )
        hatch.append(shapes.hatch(shape, left, top, right - left, bottom - top))
    return f'<path fill="{fill}" d="{"".join(boxes)}"/>' + shapes.hatched("".join(hatch), shape)


DRAW = {"heatmap": heatmap, "scatter": scatter, "bar": bars}
