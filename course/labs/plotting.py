"""Lines and points over two axes: what a `plot` panel is sent, and its still picture."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from course.labs.drawing import PanelData
from course.labs.packing import pack_floats

Draws = Literal["line", "points", "both"]


@dataclass(frozen=True)
class Series:
    """One line, or one group of points.

    Attributes:
        name: what it is called above the plot; "" is not named.
        x: the points' places; NaN leaves a gap in a line. Any sequence or array of numbers.
        y: as many.
        draws: `"line"`, `"points"` or `"both"`.
        labels: a text for each point, or the name of a list of the drawing's `labels`.
        style: which colour and dash or marker; its place among the series if None, so that a
            series that comes and goes should give its own.
        faint: thin and grey, for what is only orientation.
        aside: cannot be chosen.
        first: labels of higher ones are written first where there is no room for all.
        size: of its markers, in pixels.
        unwritten: its labels are not written beside the points, but read and sent.
        above: its labels stand above or below their points, never beside them: for points on a level line.
    """

    name: str
    x: ArrayLike
    y: ArrayLike
    draws: Draws = "line"
    labels: Sequence[str] | str | None = None
    style: int | None = None
    faint: bool = False
    aside: bool = False
    first: int = 0
    size: float | None = None
    unwritten: bool = False
    above: bool = False


def plot_panel(
    name: str,
    series: Sequence[Series],
    key: Hashable,
    chosen: tuple[int, int] | None = None,
    **description: Any,
) -> PanelData:
    """A `plot` panel as it should look now.

    Args:
        name: the panel's name in the form.
        series: what is drawn, later ones above earlier ones.
        key: changes whenever the numbers do.
        chosen: which series, and which of its points, is chosen; None leaves the front end's own.
        **description: `caption`, `x`, `y`, `marks`, as `course.labs.drawing` tells.

    Raises:
        ValueError: a series has not as many ys as xs, or not as many labels as points.

    >>> panel = plot_panel("line", [Series("squares", [0, 1, 2], [0, 1, 4])], key=1)
    >>> panel.meta["series"]
    [{'name': 'squares', 'count': 3, 'draws': 'line'}]
    """
    numbers = [_numbers(one) for one in series]
    meta: dict[str, Any] = {**description, "series": [_describe(one) for one in series]}
    if chosen is not None:
        meta["chosen"] = list(chosen)
    counts = tuple(len(x) for x, _ in numbers)

    def data() -> dict[str, bytes]:
        return {"numbers": b"".join(pack_floats(part) for pair in numbers for part in pair)}

    return PanelData(name, meta, (key, counts), data)


def _numbers(series: Series) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    x, y = np.asarray(series.x, np.float32), np.asarray(series.y, np.float32)
    if x.ndim != 1 or x.shape != y.shape:
        raise ValueError(
            f"Series {series.name!r}: x and y must be two lists of one length, not of the shapes "
            f"{x.shape} and {y.shape}."
        )
    labels = series.labels
    if labels is not None and not isinstance(labels, str) and len(labels) != len(x):
        raise ValueError(
            f"Series {series.name!r}: {len(labels)} labels for {len(x)} points; give each one."
        )
    return x, y


def _describe(series: Series) -> dict[str, Any]:
    """A series' description as the front end reads it; what is left out is the default there too."""
    told: dict[str, Any] = {
        "name": series.name,
        "count": len(np.asarray(series.x)),
        "draws": series.draws,
    }
    if series.labels is not None:
        told["labels"] = series.labels if isinstance(series.labels, str) else list(series.labels)
    for name in ("style", "size"):
        if getattr(series, name) is not None:
            told[name] = getattr(series, name)
    for name in ("faint", "aside", "first", "unwritten", "above"):
        if getattr(series, name):
            told[name] = getattr(series, name)
    return told
