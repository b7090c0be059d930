"""The position lab's arrays as panels, words and a still picture."""

from __future__ import annotations

import math
from collections.abc import Hashable
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from course.labs.drawing import PanelData
from course.labs.packing import as_read, pack, signed_codes
from course.labs.plotting import Series, plot_panel
from course.labs.position.compute import SHOWN_COLUMNS, Positions, Selection, Settings, by_distance
from course.labs.still_plots import Box, document, plot, words

_ROUND = np.linspace(0, 2 * np.pi, 49)


def panels(asked: Settings, made: Positions, chosen: Selection, key: Hashable) -> list[PanelData]:
    """Every panel as it should look now."""
    return [
        _table(asked, made, chosen, key),
        _similarity(made, chosen, key),
        _circles(made, chosen, key),
        _distance(made, chosen, key),
        _waves(made, chosen, key),
    ]


def _labels(count: int, chosen: int, step: int = 8) -> list[str]:
    """A few of the numbers, and the chosen one."""
    return [str(i) if i % step == 0 or i == chosen else "" for i in range(count)]


def _table(asked: Settings, made: Positions, chosen: Selection, key: Hashable) -> PanelData:
    length, width = made.table.shape
    shown = min(width, SHOWN_COLUMNS)
    size = np.abs(made.table)
    largest = float(size.max())
    # A few of the learned numbers are so large that no colour would be left for the others.
    limit = float(np.quantile(size, 0.995)) if asked.kind == "learned" else largest
    limit = max(round(limit + 0.0005, 3), 0.01)
    part = "" if shown == width else f", the first {shown} of {width} columns"
    part += f"; larger numbers, up to {largest:.2f}, are cut to {limit:.2f}" * (largest > limit)
    what = {
        "learned": "MiniLM's table",
        "rotary": "The vector 1, 0, 1, 0, …, turned at each position",
    }.get(asked.kind, "The table: a row for each position")
    column = min(chosen.column, shown - 1)
    meta = {
        "caption": what + part,
        "row_labels": _labels(length, chosen.position),
        "column_labels": _labels(shown, column),
        "bits": 8,
        "scale": "signed",
        "limit": limit,
        "chosen": [chosen.position, column],
    }
    return PanelData(
        "table",
        meta,
        key,
        lambda: {"cells": pack(signed_codes(made.table[:, :shown], limit), 8)},
    )


def _bits(length: int) -> Literal[8, 16]:
    """The width of a similarity's code: fewer for a long sequence, so that a picture stays small."""
    return 16 if length <= 64 else 8


def _similarity(made: Positions, chosen: Selection, key: Hashable) -> PanelData:
    length = len(made.table)
    bits = _bits(length)
    meta = {
        "row_labels": _labels(length, chosen.position),
        "column_labels": _labels(length, chosen.other),
        "bits": bits,
        "scale": "signed",
        "limit": 1.0,
        "chosen": [chosen.position, chosen.other],
    }
    return PanelData(
        "similarity",
        meta,
        key,
        lambda: {"cells": pack(signed_codes(made.similarity, 1.0, bits), bits)},
    )


def circle_series(made: Positions, chosen: Selection) -> list[Series]:
    """A faint circle for each pair, and where the pairs stand at both positions."""
    pairs = len(made.pairs)
    round_x, round_y = _circles_of(pairs)
    circles = Series("", round_x, round_y, faint=True, aside=True)
    labels = [f"pair {pair}" for pair in made.pairs]
    places = [(chosen.position, 0), (chosen.other, 1)]
    spokes, points = [], []
    for position, style in places:
        at = _directions(made.turned[:, position]) * np.arange(1, pairs + 1)[:, None]  # (pairs, 2)
        inner = at * (np.arange(pairs) / np.arange(1, pairs + 1))[:, None]  # one circle further in
        gap = np.full((pairs, 1, 2), np.nan)
        spoke = np.concatenate([inner[:, None], at[:, None], gap], axis=1).reshape(-1, 2)
        spokes.append(Series("", spoke[:, 0], spoke[:, 1], style=style, aside=True))
        points.append(
            Series(
                f"position {position}",
                at[:, 0],
                at[:, 1],
                "points",
                labels,
                style=style,
                size=5,
                unwritten=style > 0,
            )
        )
    return [circles, *spokes, *points]


def _circles_of(count: int) -> NDArray[np.float64]:
    """Circles of the radius 1 to `count`, `(2, points)`, with gaps between them."""
    once = np.stack([np.cos(_ROUND), np.sin(_ROUND)])  # (2, points)
    once = np.concatenate([once, np.full((2, 1), np.nan)], axis=1)
    return np.concatenate([once * (i + 1) for i in range(count)] or [once], axis=1)


def _directions(pairs: NDArray[np.float32]) -> NDArray[np.float64]:
    """Pairs of numbers `(n, 2)`, each brought to length 1."""
    lengths = np.linalg.norm(pairs, axis=-1, keepdims=True)
    return np.asarray(pairs / np.maximum(lengths, 1e-9), np.float64)


def _circles(made: Positions, chosen: Selection, key: Hashable) -> PanelData:
    most = len(made.pairs) + 0.6
    pair = chosen.column // 2
    axis = {"least": -most, "most": most}
    return plot_panel(
        "circles",
        circle_series(made, chosen),
        (key, chosen.position, chosen.other),
        (3, made.pairs.index(pair)) if pair in made.pairs else None,
        x=axis,
        y=axis,
    )


def distance_series(made: Positions) -> list[Series]:
    """Similarity by distance; where it differs between pairs equally far apart, its range too."""
    mean, least, most = by_distance(made.similarity)
    x = np.arange(len(mean))
    series = [Series("mean", x, mean)]
    if float((most - least).max()) > 1e-3:
        series += [Series("least", x, least, style=2), Series("largest", x, most, style=1)]
    return series


def _distance(made: Positions, chosen: Selection, key: Hashable) -> PanelData:
    apart = abs(chosen.position - chosen.other)
    return plot_panel("distance", distance_series(made), key, (0, apart))


def _waves(made: Positions, chosen: Selection, key: Hashable) -> PanelData:
    first = chosen.column - chosen.column % 2
    columns = [c for c in (first, first + 1) if c < made.table.shape[1]]
    x = np.arange(len(made.table))
    series = [Series(f"column {c}", x, made.table[:, c]) for c in columns]
    limit = max(float(np.abs(made.table[:, columns]).max()) * 1.1, 0.01)
    return plot_panel(
        "waves",
        series,
        (key, first),
        (columns.index(chosen.column), chosen.position),
        y={"least": -limit, "most": limit},
    )


def summary(asked: Settings, made: Positions, chosen: Selection) -> str:
    """The picture in words."""
    if asked.kind == "none":
        return (
            "Nothing is added: the same token is the same vector at every position, so attention "
            "cannot tell the order of the tokens."
        )
    apart = abs(chosen.position - chosen.other)
    bits = _bits(len(made.similarity))
    alike = as_read(made.similarity[chosen.position, chosen.other], 1.0, bits)
    sentences = [
        f"Positions {chosen.position} and {chosen.other} are {apart} apart; their similarity is "
        f"{alike:.{3 if bits == 16 else 2}f}."
    ]
    spread = _spread(made.similarity)
    sentences.append(
        "Only the distance counts: all pairs of positions equally far apart are equally alike."
        if spread < 1e-3
        else f"Not only the distance counts: pairs equally far apart differ by up to {spread:.2f}, "
        f"or {_spread(made.similarity[1:, 1:]):.2f} among the positions after the first."
    )
    if asked.kind != "learned":
        sentences.append(_turns(asked, chosen))
    return " ".join(sentences).replace("-", "−")


def _spread(similarity: NDArray[np.float32]) -> float:
    _, least, most = by_distance(similarity)
    return float((most - least).max())


def _turns(asked: Settings, chosen: Selection) -> str:
    """How far the chosen column's pair has turned."""
    pair = chosen.column // 2
    rate = float(asked.base) ** (-2 * pair / asked.d_model)
    degrees = math.degrees(rate)
    around = 2 * math.pi / rate
    return (
        f"Pair {pair} (columns {2 * pair} and {2 * pair + 1}) turns by {degrees:.3g}° a position, "
        f"so once around in {around:,.4g} positions; at position {chosen.position} it has turned by "
        f"{degrees * chosen.position:,.4g}°."
    )


def still(asked: Settings, made: Positions, chosen: Selection, label: str) -> str:
    """Similarity by distance, and the turning pairs where there are some, as an SVG."""
    parts = [
        words(10, 20, "Similarity by distance", bold=True),
        plot(Box(50, 50, 330, 240), distance_series(made), "distance", "cosine"),
    ]
    if asked.kind in ("sinusoidal", "rotary"):
        title = f"Pairs of columns at positions {chosen.position} and {chosen.other}"
        parts.append(words(490, 20, title, bold=True))
        circles = circle_series(made, chosen)
        parts.append(plot(Box(520, 50, 240, 240), circles, "first", "second"))
    return document(900, 340, label, parts)
