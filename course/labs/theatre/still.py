"""The theatre for places without a front end: curves, a head's picture, and words."""

from __future__ import annotations

import base64
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from course.labs.plotting import Series
from course.labs.still import enlarge, png, shades
from course.labs.still_plots import Box, document, plot, words
from course.labs.theatre.curve import constant_of, curve, smoothed
from course.labs.theatre.moments import Picture
from course.labs.theatre.runs import Run
from course.labs.theatre.summary import answers_text
from course.labs.theatre.view import Selection, fitted

if TYPE_CHECKING:
    from course.training import Training

_POINTS = 200  # of a curve, so that a saved notebook stays small
_WIDTH, _LINE = 760, 18
_LETTERS = 105  # in a line


def still(
    training: Training,
    runs: Sequence[Run],
    pictures: Sequence[Picture | None],
    chosen: Selection,
    title: str,
) -> str:
    """An SVG; the same runs give the same text."""
    lines = textwrap.wrap(title, _LETTERS)[:4]
    parts = [words(8, _LINE * (i + 1), line, bold=i == 0) for i, line in enumerate(lines)]
    y = _LINE * len(lines) + 40.0
    losses, figures = _loss(runs, training.figure), _figure(training, runs)
    parts.append(plot(Box(60, y, 400, 170), losses, "updates", "loss"))
    parts.append(plot(Box(60, y + 240, 400, 130), figures, "updates", training.figure))
    y += 430
    for run, picture in zip(runs, pictures, strict=True):
        drawn, y = _answers(run, picture, y, len(runs) > 1)
        parts += drawn
    drawn, y = _head(pictures[0], chosen, y)
    return document(_WIDTH, y + 10, title, [*parts, *drawn])


def _loss(runs: Sequence[Run], figure: str) -> list[Series]:
    series = []
    for i, run in enumerate(runs):
        points = curve(run.session.records, figure, 10**9)
        means = smoothed(points.steps, points.losses, constant_of(run.session.total))
        every = max(1, len(means) // _POINTS)
        name = run.name if len(runs) > 1 else "smoothed"
        series.append(Series(name, points.steps[::every], means[::every], style=i))
    first = curve(runs[0].session.records, figure, _POINTS)
    finite = np.where(np.isfinite(first.losses), first.losses, np.nan)
    return [Series("one update", first.steps, finite, "points", faint=True), *series]


def _figure(training: Training, runs: Sequence[Run]) -> list[Series]:
    series = []
    for i, run in enumerate(runs):
        points = curve(run.session.records, training.figure, _POINTS)
        series.append(
            Series(run.name if len(runs) > 1 else "the model", points.at, points.figures, style=i)
        )
    last = (
        max(1, *(run.session.step for run in runs))
        if len(runs) > 1
        else max(1, runs[0].session.step)
    )
    for i, (name, value) in enumerate(training.baselines.items()):
        series.append(Series(f"{name}: {value:.3g}", [0, last], [value, value], style=2 + i))
    return series


def _answers(run: Run, picture: Picture | None, y: float, several: bool) -> tuple[list[str], float]:
    lines = answers_text(picture)
    if picture is None or not lines:
        return [], y
    named = f"{run.name}: answers" if several else "Answers"
    parts = [words(8, y, f"{named} to held-out examples after update {picture.step:,}", bold=True)]
    for line in lines:
        for part in textwrap.wrap(line, _LETTERS)[:3]:
            y += _LINE
            parts.append(words(8, y, part))
    return parts, y + 2 * _LINE


def _head(picture: Picture | None, chosen: Selection, y: float) -> tuple[list[str], float]:
    head = picture.head if picture else None
    if picture is None or head is None:
        return [], y
    layer, number = fitted(head, chosen)
    weights = head.weights[layer, number]
    cell = max(4, min(18, 320 // len(weights)))
    side = cell * len(weights)
    pixels = enlarge(shades(weights, np.zeros(1, bool)), 1)
    data = base64.b64encode(png(pixels)).decode()
    told = (
        f"Where head {number} of layer {layer} looks after update {picture.step:,}; bright is much"
    )
    parts = [
        words(8, y, told, bold=True),
        f'<image x="120" y="{y + 10:g}" width="{side}" height="{side}" preserveAspectRatio="none" '
        f'image-rendering="pixelated" style="image-rendering:pixelated" '
        f'href="data:image/png;base64,{data}"/>',
    ]
    if cell >= 10:
        parts += [
            words(114, y + 10 + (i + 0.75) * cell, token, "end")
            for i, token in enumerate(head.tokens)
        ]
    return parts, y + side + 20
