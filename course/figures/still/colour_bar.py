"""The colour bar beside a heat map: its colours, and the numbers that stand for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from course.figures.still.axes import linear_step, marks
from course.figures.still.traces import Drawn, hexes, span
from course.figures.still.words import TEXT, number, width, written

__all__ = ["ASIDE", "breadth", "colour_bar", "has"]

ASIDE = 0.02  # of the axes' width: how far to their right plotly sets a colour bar
_PAD = 10.0  # pixels around it
_STRIPES = 32


def has(drawn: Drawn) -> bool:
    """Whether a trace has a colour bar."""
    return drawn.kind == "heatmap" and bool(drawn.trace.get("showscale", True))


def breadth(trace: Mapping[str, Any], high: float) -> float:
    """How wide a colour bar and its numbers are, with the room around them."""
    texts = (text for _, text in _marks(trace, _length(trace, high)))
    return 2 * _PAD + _thick(trace) + max((width(text, TEXT) for text in texts), default=0.0)


def colour_bar(trace: Mapping[str, Any], area: tuple[float, float, float, float]) -> str:
    """The bar, right of the place for all axes (left, top, width, height)."""
    left, top, wide, high = area
    length, thick = _length(trace, high), number(_thick(trace))
    x, foot = left + (1 + ASIDE) * wide + _PAD, top + high / 2 + _length(trace, high) / 2
    shares = [(stripe + 0.5) / _STRIPES for stripe in range(_STRIPES)]
    step = length / _STRIPES
    parts = ['<g shape-rendering="crispEdges">']
    for place, fill in enumerate(hexes(trace["colorscale"], shares)):
        over = 0.5 if place else 0.0  # or a bright line shows between two stripes
        start = f"M{number(x)} {foot - step * (place + 1):.2f}"
        parts.append(f'<path fill="{fill}" d="{start}h{thick}v{step + over:.2f}h-{thick}z"/>')
    parts.append("</g>")
    for share, text in _marks(trace, length):
        y = foot - share * length
        parts.append(written(x + _thick(trace) + 5, y, text, TEXT, anchor="start"))
    return "".join(parts)


def _thick(trace: Mapping[str, Any]) -> float:
    return float((trace.get("colorbar") or {}).get("thickness", 30))


def _length(trace: Mapping[str, Any], high: float) -> float:
    share = float((trace.get("colorbar") or {}).get("len", 1))
    return max(10.0, share * high - 2 * _PAD)


def _marks(trace: Mapping[str, Any], length: float) -> list[tuple[float, str]]:
    """Shares of the bar, and the number at each."""
    low, high = span(trace)
    if low == high:
        return [(0.5, f"{low:g}")]
    count = (trace.get("colorbar") or {}).get("nticks") or min(9, max(4, length / 40)) + 1
    found = marks(low, high, linear_step(low, high, count))
    return [((at - low) / (high - low), text) for at, text in found]
