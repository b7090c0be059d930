"""Still pictures of plots and of texts in pieces, as parts of an SVG."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from course.labs.colours import COLOURS
from course.labs.pieces import Piece
from course.labs.plotting import Series
from course.system.markup import escape

INK = "#222222"
_DASHES = ("", "7 4", "2 3", "9 3 2 3", "14 4", "4 2 1 2 1 2")
_TICKS = 5


@dataclass(frozen=True)
class Box:
    """A place in the picture, in SVG units."""

    x: float
    y: float
    width: float
    height: float


def document(width: float, height: float, label: str, parts: Iterable[str]) -> str:
    """The parts on white, with a label for those who cannot see it."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" '
        f'width="{width:g}" height="{height:g}" role="img" aria-label="{escape(label)}" '
        f'font-family="sans-serif" font-size="12">'
        f'<rect width="{width:g}" height="{height:g}" fill="#ffffff"/>{"".join(parts)}</svg>'
    )


def words(x: float, y: float, text: str, anchor: str = "start", bold: bool = False) -> str:
    """A line of text."""
    weight = ' font-weight="bold"' if bold else ""
    return (
        f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}" fill="{INK}"{weight}>'
        f"{escape(text)}</text>"
    )


def plot(
    box: Box,
    series: Sequence[Series],
    x_label: str,
    y_label: str,
    log_x: bool = False,
    log_y: bool = False,
) -> str:
    """Lines and points over two axes; the box is that of the axes."""
    x = _Scale([one.x for one in series], box.x, box.x + box.width, log_x)
    y = _Scale([one.y for one in series], box.y + box.height, box.y, log_y)
    parts = [
        f'<rect x="{box.x:g}" y="{box.y:g}" width="{box.width:g}" height="{box.height:g}" '
        'fill="none" stroke="#888888"/>',
        *(words(x.at(tick), box.y + box.height + 16, f"{tick:g}", "middle") for tick in x.ticks()),
        *(words(box.x - 5, y.at(tick) + 4, f"{tick:g}", "end") for tick in y.ticks()),
        words(box.x + box.width, box.y + box.height + 32, f"{x_label} →", "end"),
        words(box.x - 24, box.y - 8, f"↑ {y_label}"),
    ]
    named = 0
    for i, one in enumerate(series):
        parts.append(_series(one, i, x, y))
        if one.name and len(series) > 1:
            at = box.y + 14 + 16 * named
            colour = _colour(one, i)
            parts.append(
                f'<path d="M{box.x + box.width + 8:g} {at - 4:g}h26" stroke="{colour}" '
                f'stroke-width="2" stroke-dasharray="{_DASHES[_style(one, i)]}"/>'
                if one.draws != "points"
                else f'<circle cx="{box.x + box.width + 21:g}" cy="{at - 4:g}" r="4" fill="{colour}"/>'
            )
            parts.append(words(box.x + box.width + 40, at, one.name))
            named += 1
    return "".join(parts)


class _Scale:
    """From numbers to places on one axis."""

    def __init__(
        self, lists: Iterable[object], first: float, last: float, log: bool = False
    ) -> None:
        numbers = np.concatenate([np.asarray(each, float).reshape(-1) for each in lists])
        self.log, self.first, self.last = log, first, last
        shown = self.scaled(numbers[numbers > 0] if log else numbers)
        shown = shown[np.isfinite(shown)]
        low, high = (float(shown.min()), float(shown.max())) if len(shown) else (0.0, 1.0)
        margin = (high - low) * 0.05 or 0.5
        self.low, self.high = low - margin, high + margin

    def scaled(self, numbers: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.log10(numbers) if self.log else numbers

    def at(self, number: float) -> float:
        if self.log and number <= 0:
            return math.nan
        share = (float(self.scaled(np.asarray(number, np.float64))) - self.low) / (
            self.high - self.low
        )
        return round(self.first + share * (self.last - self.first), 2)

    def ticks(self) -> list[float]:
        if self.log:
            powers = range(math.ceil(self.low), math.floor(self.high) + 1)
            return [10.0**power for power in powers]
        rough = (self.high - self.low) / _TICKS
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(f * power for f in (1, 2, 5, 10) if f * power >= rough * 0.999)
        count = range(math.ceil(self.low / step), math.floor(self.high / step) + 1)
        return [round(i * step, 10) for i in count]


def _style(series: Series, i: int) -> int:
    return (i if series.style is None else series.style) % len(_DASHES)


def _colour(series: Series, i: int) -> str:
    return "#999999" if series.faint else COLOURS["light"]["series"][_style(series, i)]


def _series(series: Series, i: int, x: _Scale, y: _Scale) -> str:
    places = [
        (x.at(float(a)), y.at(float(b)))
        for a, b in zip(np.asarray(series.x), np.asarray(series.y), strict=True)
    ]
    parts = []
    if series.draws != "points":
        steps, drawing = [], False
        for a, b in places:
            there = math.isfinite(a) and math.isfinite(b)
            if there:
                steps.append(f"{'L' if drawing else 'M'}{a:g} {b:g}")
            drawing = there
        dash = "" if series.faint else _DASHES[_style(series, i)]
        parts.append(
            f'<path d="{"".join(steps)}" fill="none" stroke="{_colour(series, i)}" '
            f'stroke-width="{1 if series.faint else 2}" stroke-dasharray="{dash}"/>'
        )
    if series.draws != "line":
        labels = series.labels if not isinstance(series.labels, str) else None
        for k, (a, b) in enumerate(places):
            if math.isfinite(a) and math.isfinite(b):
                parts.append(f'<circle cx="{a:g}" cy="{b:g}" r="3" fill="{_colour(series, i)}"/>')
                if labels is not None and labels[k]:
                    parts.append(words(a + 6, b + 4, labels[k]))
    return "".join(parts)


def pieces(box: Box, text: Sequence[Piece]) -> tuple[str, float]:
    """A text in pieces, wrapped to the box's width; the part, and the height that it takes."""
    x, y, word = box.x, box.y, -1
    parts = []
    for piece in text:
        number = "" if math.isnan(piece.number) else f"{piece.number:g}"
        wide = (
            max(sum(14 if ord(letter) > 0x2E80 else 8 for letter in piece.text), 7 * len(number))
            + 10
        )
        word += not piece.continues
        x += 0 if piece.continues or x == box.x else 5
        if x > box.x and (piece.starts_line or x + wide > box.x + box.width):
            x, y = box.x, y + 44
        tints = COLOURS["light"]["tints"]
        fill = "#ffffff" if piece.special else tints[word % len(tints)]
        dash = ' stroke-dasharray="4 3"' if piece.special else ""
        thick = 2.5 if piece.unknown else 1
        parts.append(
            f'<rect x="{x:g}" y="{y:g}" width="{wide}" height="22" fill="{fill}" stroke="{INK}" '
            f'stroke-width="{thick}"{dash}/>'
        )
        parts.append(words(x + wide / 2, y + 16, piece.text, "middle"))
        parts.append(words(x + wide / 2, y + 35, number, "middle"))
        x += wide
    return "".join(parts), y + 44 - box.y
