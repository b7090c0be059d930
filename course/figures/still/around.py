"""What stands around the traces of a still picture: grids, marks, titles, notes, the legend."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from course.figures.still import shapes
from course.figures.still.axes import Axis
from course.figures.still.known import Unknown, colour, merged
from course.figures.still.page import Page, Subplot
from course.figures.still.traces import Drawn
from course.figures.still.words import BELOW, INK, NEAR, TEXT, TITLE, number, room, width, written

__all__ = ["entries", "grid", "legend", "names", "notes", "title"]

_ROW = 19.0  # a row of the legend
_SAMPLE, _APART = 40.0, 8.0  # in the legend: room for a sample of a trace; between two names
_ANCHORS = {"left": "start", "center": "middle", "right": "end"}


def grid(plot: Subplot) -> str:
    """Lines at the marks of both axes, and stronger ones at 0; none under a heat map."""
    if any(drawn.kind == "heatmap" for drawn in plot.traces):
        return ""
    pairs: tuple[tuple[Axis, Axis], ...] = ((plot.x, plot.y), (plot.y, plot.x))
    if any(drawn.kind == "bar" for drawn in plot.traces):
        pairs = pairs[1:]  # bars need no line at their places
    parts = []
    for axis, other in pairs:
        if axis.settings.get("showgrid", True):
            lines = "".join(_line(at, axis, other) for at, _ in axis.marks())
            parts.append(_strokes(lines, axis.settings.get("gridcolor", "#eeeeee"), 1))
    for axis, other in pairs:
        zero = axis.settings.get("zeroline", True) and axis.shown and not axis.log
        if zero and min(axis.low, axis.high) <= 0 <= max(axis.low, axis.high):
            ink = axis.settings.get("zerolinecolor", "#444444")
            parts.append(_strokes(_line(axis.place(0), axis, other), ink, 2))
    return "".join(parts)


def _line(at: float, axis: Axis, other: Axis) -> str:
    if axis.upright:
        return f"M{number(other.first)} {number(at)}H{number(other.last)}"
    return f"M{number(at)} {number(other.first)}V{number(other.last)}"


def _strokes(path: str, ink: Any, wide: float) -> str:
    if not path:
        return ""
    return f'<path fill="none" stroke="{colour(ink)}" stroke-width="{wide:g}" d="{path}"/>'


def names(page: Page, plot: Subplot) -> str:
    """The texts at the marks and the titles of both axes."""
    x, y = plot.x, plot.y
    angle = page.angle(x)
    parts = [_under(at, y.first, text, angle) for at, text in x.marks() if x.labelled]
    parts += [
        written(x.first - NEAR, at, text, TEXT, anchor="end")
        for at, text in y.marks()
        if y.labelled
    ]
    foot, aside = page.title_of(plot)
    parts.append(written((x.first + x.last) / 2, foot, x.title, TITLE))
    parts.append(written(aside, (y.first + y.last) / 2, y.title, TITLE, angle=-90))
    return "".join(parts)


def _under(at: float, foot: float, text: str, angle: float) -> str:
    if not angle:
        return written(at, foot + BELOW + room(text, TEXT) / 2, text, TEXT)
    anchor = "end" if angle < 0 else "start"
    return written(at, foot + NEAR + 4, text, TEXT, anchor=anchor, angle=angle)


def title(page: Page) -> str:
    """The figure's title."""
    given = page.layout.get("title") or {}
    size = float((given.get("font") or {}).get("size", 17))
    high = given.get("y", "auto")
    y = page.margin["t"] / 2 if high == "auto" else (1 - float(high)) * page.height
    anchor = _ANCHORS.get(given.get("xanchor", "auto"), "start")
    x = float(given.get("x", 0.05)) * page.width
    return written(x, y, str(given.get("text") or ""), size, anchor=anchor)


def notes(page: Page) -> str:
    """Annotations, and lines that are drawn over the picture."""
    parts = []
    for shape in page.layout.get("shapes") or ():
        xref, yref = _references(shape)
        ends = [(page.at(shape[f"x{i}"], xref), page.at(shape[f"y{i}"], yref)) for i in (0, 1)]
        line = merged({"color": INK, "width": 2, "dash": "solid"}, shape.get("line") or {})
        parts.append(shapes.curve(ends, colour(line["color"]), line["width"], line["dash"]))
    for note in page.layout.get("annotations") or ():
        xref, yref = _references(note)
        font = merged({"size": TEXT, "color": INK}, note.get("font") or {})
        y = page.at(note["y"], yref)
        half = room(note["text"], font["size"]) / 2 + 2
        y += {"bottom": -half, "top": half}.get(note.get("yanchor", "auto"), 0.0)
        anchor = _ANCHORS.get(note.get("xanchor", "center"), "middle")
        ink = colour(font["color"])
        x = page.at(note["x"], xref)
        parts.append(written(x, y, note["text"], font["size"], anchor=anchor, colour=ink))
    return "".join(parts)


def _references(part: Any) -> tuple[str, str]:
    xref, yref = str(part.get("xref", "x")), str(part.get("yref", "y"))
    return xref, "paper y" if yref == "paper" else yref


def legend(page: Page) -> str:
    """The names of the traces, each with a sample: above the axes, or beside them."""
    shown = entries(page)
    if not shown:
        return ""
    given = page.layout.get("legend") or {}
    left, top, wide, _ = page.area
    widths = [_SAMPLE + width(name, TEXT) + _APART for name, _ in shown]
    if given.get("orientation") != "h":
        if page.width - left - 1.02 * wide < max(widths):
            raise Unknown("a legend that has no room beside the axes")
        return _table(shown, left + 1.02 * wide, top, [max(widths)])
    if given.get("x") != 0 or given.get("y") != 1 or given.get("yanchor") != "bottom":
        raise Unknown("a legend at another place")
    if sum(widths) > wide:
        columns = max(1, int(wide // max(widths)))
        widths = [max(widths)] * columns
    rows = -(-len(shown) // len(widths))
    return _table(shown, left, top - _ROW * rows - 5, widths)


def entries(page: Page) -> list[tuple[str, Drawn]]:
    """The traces in the legend, with their names."""
    shown = [
        (str(drawn.trace.get("name") or f"trace {place}"), drawn)
        for place, drawn in enumerate(page.traces)
        if drawn.kind != "heatmap" and drawn.trace.get("showlegend", True)
    ]
    asked = any(drawn.trace.get("showlegend") for _, drawn in shown)
    return shown if page.layout.get("showlegend", len(shown) > 1 or asked) else []


def _table(
    shown: Sequence[tuple[str, Drawn]], left: float, top: float, widths: Sequence[float]
) -> str:
    parts = []
    for place, (name, drawn) in enumerate(shown):
        row, column = divmod(place, len(widths))
        x, y = left + sum(widths[:column]), top + _ROW * (row + 0.5)
        parts += [_sample(drawn, x + 5, y), written(x + _SAMPLE, y, name, TEXT, anchor="start")]
    return "".join(parts)


def _sample(drawn: Drawn, x: float, y: float) -> str:
    """What a trace looks like, 30 pixels wide."""
    if drawn.kind == "bar":
        marker = drawn.trace.get("marker") or {}
        fill, shape = (
            colour(marker.get("color", drawn.colour)),
            (marker.get("pattern") or {}).get("shape", ""),
        )
        box = f'<path fill="{fill}" d="M{number(x + 9)} {number(y - 6)}h12v12h-12z"/>'
        return box + shapes.hatched(shapes.hatch(shape, x + 9, y - 6, 12, 12), shape)
    wide, dash = drawn.line
    parts = []
    if "lines" in drawn.mode:
        parts.append(shapes.curve([(x, y), (x + 30, y)], drawn.ink, wide, dash))
    if "markers" in drawn.mode:
        parts.append(shapes.markers([(x + 15, y)], drawn.symbol, drawn.size, drawn.marker_ink))
    return "".join(parts)
