"""A cell's output that is live in a running notebook, and a still picture wherever that can't be.

A widget is gone with its kernel: a notebook that is opened again shows "Error displaying widget" in its
place, GitHub and a PDF show nothing. So two outputs are sent: a still picture with its words, and the
widget below it. A style that travels with the picture hides it while the widget lives, and hides what
stands in the widget's place otherwise. The picture is sent anew when the learner has changed something.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import Any

from course.system.markup import escape, printable

LIVE = "course-live"  # the class of an element that only a live widget has
_CHILD = ".jp-OutputArea-child"  # an output in JupyterLab, Notebook 7 and nbconvert's pages
_HIDE = (
    f"{_CHILD}:has(.course-still):has(+ {_CHILD} .{LIVE}),"
    f"{_CHILD}:has(.course-still) + {_CHILD}:not(:has(.{LIVE})){{display:none}}"
)
# On paper nobody scrolls: wide pictures, not of labs alone, fit the page, and long lines are wrapped.
_PRINT = (
    "@media print{.course-still svg,.course-still img,.jp-OutputArea-output>img"
    "{max-width:100%;height:auto}.jp-OutputArea-output pre,.jp-InputArea pre"
    "{white-space:pre-wrap;overflow-wrap:anywhere}"
    ".jp-RenderedMarkdown pre{white-space:pre;font-size:75%;break-inside:avoid}}"  # drawings of letters
)
_STYLE = f"<style>{_HIDE}{_PRINT}</style>"


class Output:
    """Where an object is shown: `show` sends both outputs, `renew` the still picture again.

    Args:
        live: makes the widget's MIME bundle.
        still: makes the still picture's: `text/plain`, and what there is of `text/html`,
            `image/svg+xml` and `image/png`.
    """

    def __init__(
        self, live: Callable[[], Mapping[str, Any]], still: Callable[[], Mapping[str, str]]
    ) -> None:
        self._live, self._still = live, still
        self._places: list[str] = []  # display ids
        self._sent: Mapping[str, str] = {}

    def show(self) -> None:
        """Send both outputs to the cell that is running."""
        from IPython import display as ipython

        display: Any = ipython.display  # IPython's types don't know it
        place = f"course-{uuid.uuid4().hex}"
        self._sent = with_page(self._still())
        display(dict(self._sent), raw=True, display_id=place)
        live = {mime: data for mime, data in self._live().items() if "widget" in mime}
        display(live, raw=True)
        self._places.append(place)

    def renew(self) -> None:
        """Bring the still picture up to date where it was shown."""
        from IPython import display as ipython

        update_display: Any = ipython.update_display
        now = with_page(self._still())
        if self._places and now != self._sent:
            self._sent = now
            for place in self._places:
                update_display(dict(now), raw=True, display_id=place)


class Shown:
    """What a cell shows: a widget, and a still form of it. A kind of it makes both."""

    def __init__(self) -> None:
        self._widget: Any = None
        self._output = Output(self._live, self._still)

    def _build(self) -> Any:
        """Make the widget; called once, before the still form is asked for."""
        raise NotImplementedError

    def _still(self) -> dict[str, str]:
        """Make the still form's MIME bundle."""
        raise NotImplementedError

    def _live(self) -> dict[str, Any]:
        if self._widget is None:
            self._widget = self._build()
        view = {"version_major": 2, "version_minor": 0, "model_id": self._widget.model_id}
        return {"application/vnd.jupyter.widget-view+json": view}

    def _ipython_display_(self) -> None:
        self._live()
        self._output.show()

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        return {**self._live(), **with_page(self._still())}


def with_page(still: Mapping[str, str]) -> dict[str, str]:
    """The bundle with `text/html`: the picture, its words below, and the style that hides it."""
    still = {mime: printable(text) for mime, text in still.items()}
    words = still.get("text/plain", "")
    if "text/html" in still:
        page = still["text/html"]
    else:
        page = _picture(still) + f"<details><summary>In words</summary>{_pre(words)}</details>"
    return {**still, "text/html": f'<div class="course-still">{_STYLE}{page}</div>'}


def _picture(still: Mapping[str, str]) -> str:
    if "image/svg+xml" in still:
        return still["image/svg+xml"]
    if "image/png" in still:
        return f'<img alt="" src="data:image/png;base64,{still["image/png"]}">'
    return ""


def _pre(words: str) -> str:
    return f'<pre style="white-space: pre-wrap">{escape(words)}</pre>'
