"""A plotly figure as a still SVG picture, for where plotly's front end is not: GitHub, nbconvert, a PDF.

    still(figures.heatmap(weights))        "<svg …>"

Drawn with numpy and the standard library alone. It follows plotly in ranges, marks and margins, and
knows what `course.figures` makes, and what simple figures of one's own have: heat maps, lines, points
and bars, side by side. Whatever else a figure has, there is no picture of it rather than a wrong one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from course.figures.still import around
from course.figures.still.colour_bar import colour_bar, has
from course.figures.still.known import Unknown, check, colour, merged
from course.figures.still.page import Page
from course.figures.still.traces import DRAW
from course.figures.still.words import plain
from course.system.markup import escape

__all__ = ["draw", "still"]

_KINDS = {"heatmap": "heat map", "scatter": "line or point chart", "bar": "bar chart"}


def still(figure: Any) -> str | None:
    """The figure as an SVG on white that needs nothing else; None where it has what is not known.

    Args:
        figure: a `go.Figure`, or what its `to_dict` returns.
    """
    try:
        return draw(figure if isinstance(figure, Mapping) else figure.to_dict())
    except Unknown:
        return None


def draw(figure: Mapping[str, Any]) -> str:
    """The figure as an SVG.

    Raises:
        Unknown: it has something that can't be drawn, which the message names.
    """
    check(figure)
    template = figure["layout"].get("template") or {}
    layout = merged(template.get("layout") or {}, figure["layout"])
    layout["axes"] = {
        letter: (template.get("layout") or {}).get(f"{letter}axis", {}) for letter in "xy"
    }
    page = Page(layout, [_with_defaults(trace, template) for trace in figure["data"]])
    drawn = [
        *(around.grid(plot) for plot in page.subplots),
        *(
            DRAW[trace.kind](trace, plot.x, plot.y)
            for plot in page.subplots
            for trace in plot.traces
        ),
        *(around.names(page, plot) for plot in page.subplots),
        *(colour_bar(trace.trace, page.area) for trace in page.traces if has(trace)),
        around.notes(page),
        around.legend(page),
        around.title(page),
    ]
    width, height = page.width, page.height
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" '
        f'width="{width:g}" height="{height:g}" role="img" direction="ltr" '
        'style="max-width:100%;height:auto" font-family="Open Sans,Verdana,Arial,sans-serif">'
        f"<title>{escape(_said(page))}</title>"
        f'<rect width="{width:g}" height="{height:g}" fill="{_ground(layout)}"/>'
        f"{''.join(drawn)}</svg>"
    )


def _with_defaults(trace: Mapping[str, Any], template: Mapping[str, Any]) -> dict[str, Any]:
    """A trace with the template's settings for its kind."""
    kinds = (template.get("data") or {}).get(trace.get("type", "scatter")) or [{}]
    return merged(kinds[0], trace)


def _ground(layout: Mapping[str, Any]) -> str:
    return colour(layout.get("paper_bgcolor", "#ffffff"))


def _said(page: Page) -> str:
    """The picture's name for those who can't see it: its title, and what it shows."""
    title = plain((page.layout.get("title") or {}).get("text") or "")
    kinds = list(dict.fromkeys(_KINDS[drawn.kind] for drawn in page.traces))
    axes = [axis.title for plot in page.subplots for axis in (plot.y, plot.x) if axis.title]
    what = " and ".join(kinds)
    if axes:
        what += f": {plain(' by '.join(dict.fromkeys(axes)))}"
    names = [plain(name) for name, _ in around.entries(page)]
    named = f" {', '.join(names)}." if names else ""
    return f"{title}. {what.capitalize()}.{named}" if title else f"{what.capitalize()}.{named}"
