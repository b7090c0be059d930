"""A still picture's page: which traces stand on which axes, and the room that each takes.

Margins grow as plotly's `automargin` has it, with the width of letters estimated.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

from course.figures.still import colour_bar
from course.figures.still.axes import Axis
from course.figures.still.known import Unknown, merged
from course.figures.still.traces import Drawn, extremes, numbers_of
from course.figures.still.words import BELOW, NEAR, TEXT, TITLE, room, width

__all__ = ["Page", "Subplot"]

_STANDOFF = 15.0, 11.0  # pixels between the marks' texts and a title, of the y and of the x axis


@dataclass
class Subplot:
    """Two axes and the traces on them."""

    x: Axis
    y: Axis
    traces: list[Drawn] = field(default_factory=list)


class Page:
    """The layout of a figure in pixels.

    Args:
        layout: plotly's, the template's settings among them.
        traces: all of the figure's.
    """

    def __init__(self, layout: Mapping[str, Any], traces: Sequence[Mapping[str, Any]]) -> None:
        self.layout = layout
        self.width, self.height = float(layout.get("width", 700)), float(layout.get("height", 450))
        defaults = {"l": 80, "r": 80, "t": 100, "b": 80}
        margin = merged(defaults, layout.get("margin", {}))
        self.margin = {side: float(size) for side, size in margin.items()}
        way = layout.get("colorway") or ["#636efa"]
        self.traces = [Drawn(trace, way[i % len(way)]) for i, trace in enumerate(traces)]
        self.subplots = self._subplots()
        for _ in range(3):  # the room that marks need depends on the room that they have
            self._place()
            self._widen()
        self._place()

    # -------------------------------------------------------------------------------------- the room

    @property
    def area(self) -> tuple[float, float, float, float]:
        """Left, top, width and height of the place for all axes."""
        left, top = self.margin["l"], self.margin["t"]
        return (
            left, top, max(10.0, self.width - left - self.margin["r"]),
            max(10.0, self.height - top - self.margin["b"]),
        )  # fmt: skip

    def _subplots(self) -> list[Subplot]:
        together: dict[tuple[str, str], list[Drawn]] = {}
        for drawn in self.traces:
            pair = str(drawn.trace.get("xaxis", "x")), str(drawn.trace.get("yaxis", "y"))
            together.setdefault(pair, []).append(drawn)
        for names in zip(*together, strict=True):
            if len(set(names)) < len(together):
                raise Unknown("an axis that several pictures share")
        return [self._subplot(*pair, traces) for pair, traces in together.items()]

    def _subplot(self, x: str, y: str, traces: Sequence[Drawn]) -> Subplot:
        count = sum(drawn.kind == "bar" for drawn in traces)
        places = iter(range(count))
        traces = [
            replace(one, place=next(places), beside=count) if one.kind == "bar" else one
            for one in traces
        ]
        across, up = (
            Axis(name, self._axis(name), [v for one in traces for v in numbers_of(one, name[0])])
            for name in (x, y)
        )
        if across.settings.get("anchor", y) != y or up.settings.get("anchor", x) != x:
            raise Unknown("an axis that stands elsewhere")
        return Subplot(across, up, traces)

    def _axis(self, name: str) -> Mapping[str, Any]:
        found = self.layout.get(f"{name[0]}axis{name[1:]}", {})
        return merged(self.layout.get("axes", {}).get(name[0], {}), found)

    def _place(self) -> None:
        left, top, wide, high = self.area
        for plot in self.subplots:
            start, end = plot.x.settings.get("domain", (0, 1))
            plot.x.put(left + start * wide, left + end * wide)
            start, end = plot.y.settings.get("domain", (0, 1))
            plot.y.put(top + (1 - start) * high, top + (1 - end) * high)
            kinds = {drawn.kind for drawn in plot.traces}
            lines = all(drawn.kind == "scatter" and drawn.mode == "lines" for drawn in plot.traces)
            for axis in (plot.x, plot.y):
                tight = "heatmap" in kinds or (not axis.upright and (lines or "bar" in kinds))
                axis.set_range([extremes(drawn, axis) for drawn in plot.traces], tight)
            self._one_scale(plot)

    @staticmethod
    def _one_scale(plot: Subplot) -> None:
        """Widen one axis's range, so that a unit has as many pixels on both."""
        if "scaleanchor" not in plot.x.settings and "scaleanchor" not in plot.y.settings:
            return
        if plot.x.log or plot.y.log or plot.y.settings.get("scaleratio", 1) != 1:
            raise Unknown("axes whose scales have a ratio")
        unit = min(
            abs(axis.last - axis.first) / abs(axis.high - axis.low) for axis in (plot.x, plot.y)
        )
        for axis in (plot.x, plot.y):
            middle, half = (axis.low + axis.high) / 2, abs(axis.last - axis.first) / unit / 2
            half = math.copysign(half, axis.high - axis.low)
            axis.low, axis.high = middle - half, middle + half

    def _widen(self) -> None:
        """Give marks, titles of axes and colour bars the room they need, as plotly's automargin does."""
        left = self.area[0]
        for plot in self.subplots:
            beside = self.height - self.margin["b"] - plot.y.first
            self.margin["b"] = max(self.margin["b"], self._under(plot.x) - beside)
            self.margin["l"] = max(self.margin["l"], self._left_of(plot.y) - (plot.x.first - left))
        high = self.area[3]
        bars = [colour_bar.breadth(one.trace, high) for one in self.traces if colour_bar.has(one)]
        if bars:
            wide = (self.width - self.margin["l"] - max(bars)) / (1 + colour_bar.ASIDE)
            self.margin["r"] = max(self.margin["r"], self.width - self.margin["l"] - wide)

    def _under(self, axis: Axis) -> float:
        """How deep an x axis's marks and title reach."""
        deep = self.depth(axis)
        return deep + (_STANDOFF[1] + 1.3 * TITLE if axis.title else 0) + (5 if deep else 0)

    def depth(self, axis: Axis) -> float:
        """How deep the marks' texts of an x axis reach."""
        if not axis.labelled:
            return 0.0
        turn = math.radians(self.angle(axis))
        texts = [text for _, text in axis.marks()]
        return BELOW + max(
            (
                abs(math.sin(turn)) * width(text, TEXT) + abs(math.cos(turn)) * room(text, TEXT)
                for text in texts
            ),
            default=0.0,
        )

    def angle(self, axis: Axis) -> float:
        """By how many degrees these texts are turned: where they would overlap, if not as set."""
        given = axis.settings.get("tickangle", "auto")
        if given != "auto":
            return float(given)
        found = axis.marks()
        if len(found) < 2:
            return 0.0
        apart = min(abs(b[0] - a[0]) for a, b in pairwise(found))
        if max(width(text, TEXT) for _, text in found) + 4 <= apart:
            return 0.0
        return 30.0 if apart > 25 else 90.0

    def _left_of(self, axis: Axis) -> float:
        wide = self.breadth(axis)
        return wide + (_STANDOFF[0] + 1.3 * TITLE if axis.title else 0) + (5 if wide else 0)

    @staticmethod
    def breadth(axis: Axis) -> float:
        """How far to the left the marks' texts of a y axis reach."""
        if not axis.labelled:
            return 0.0
        return NEAR + max((width(text, TEXT) for _, text in axis.marks()), default=0.0)

    def title_of(self, plot: Subplot) -> tuple[float, float]:
        """The heights, or depths, at which the titles of two axes are centred."""
        foot = plot.y.first + self.depth(plot.x) + _STANDOFF[1] + TITLE / 2
        return foot, plot.x.first - self.breadth(plot.y) - _STANDOFF[0] - TITLE / 2

    def at(self, value: Any, reference: str) -> float:
        """The place of a value that is counted on the paper, on an axis, or in shares of an axis."""
        left, top, wide, high = self.area
        letter = "y" if reference == "paper y" or reference[0] == "y" else "x"
        if reference.startswith("paper"):
            return float(top + (1 - value) * high if letter == "y" else left + value * wide)
        name, _, share = reference.partition(" ")
        for plot in self.subplots:
            axis = plot.y if letter == "y" else plot.x
            if axis.name == name:
                span = float(value) * (axis.last - axis.first) if share else 0.0
                return axis.first + span if share else axis.at(value)
        raise Unknown(f"a place on {reference!r}")
