"""The traced steps, packed for the front end: the list, what goes into a step, what comes out."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from course.labs.drawing import PanelData
from course.labs.packing import pack, signed_codes, weight_codes
from course.labs.pieces import Piece, tokens_panel
from course.labs.shapes import journey
from course.labs.shapes.code import LINES, find
from course.labs.shapes.settings import Selection
from course.labs.shapes.steps import KINDS
from course.labs.shapes.trace import Floats, Step, Trace

SHOWN = 48  # numbers of a wide vector, at a time
WORDS = ("tokens", "ids")  # steps that are seen as a text in pieces


@dataclass(frozen=True)
class Picture:
    """A matrix as it is seen.

    Attributes:
        cells: `(rows, columns)`, -inf where blocked.
        rows: what the rows are called.
        columns: what the columns are called.
        places: the numbers of the columns in the whole vector.
        part: which part of the whole it is, in words.
    """

    cells: Floats
    rows: Sequence[str]
    columns: Sequence[str]
    places: range
    part: str


def panels(trace: Trace, chosen: Selection, key: Hashable) -> list[PanelData]:
    """All panels for what is chosen.

    Args:
        trace: the walk.
        chosen: a selection within it.
        key: changes whenever the walk does.
    """
    step = trace.steps[chosen.step]
    shown = [_journey(trace, chosen), _steps(trace, chosen)]
    if step.kind in WORDS:
        return [*shown, _pieces(trace, chosen, key)]
    source = source_of(trace, chosen.step)
    if source is not None:
        shown.append(_matrix("before", trace, source, chosen, key, "What goes in"))
    return [*shown, _matrix("after", trace, chosen.step, chosen, key, "What comes out")]


def source_of(trace: Trace, number: int) -> int | None:
    """The step whose result goes into step `number`; None where that is no matrix of numbers."""
    step = trace.steps[number]
    wanted = KINDS[step.kind].source
    for earlier in range(number - 1, -1, -1):
        other = trace.steps[earlier]
        if other.kind in (*WORDS, "padding"):
            return None
        if not wanted or (other.kind == wanted and other.layer in (step.layer, None)):
            return earlier
    return None


def rows_of(trace: Trace) -> list[str]:
    """The list of steps: group, name and shape of each, tabs between."""
    return ["\t".join((group(step), KINDS[step.kind].name, sizes(step))) for step in trace.steps]


def group(step: Step) -> str:
    """Where a step belongs."""
    if step.layer is not None:
        return f"layer {step.layer}"
    return "end" if step.kind in ("final", "pooled", "unit") else "input"


def sizes(step: Step) -> str:
    """A step's shape in numbers."""
    return "(" + ", ".join(map(str, step.numbers.shape)) + ")"


def shape(step: Step) -> str:
    """A step's shape in letters and numbers: `(B, S, D) = (2, 9, 384)`."""
    return f"({', '.join(KINDS[step.kind].axes.split())}) = {sizes(step)}"


def code_of(step: Step) -> list[dict[str, str]]:
    """The lines that do a step, each with its place, as they stand in the source."""
    names = KINDS[step.kind].code
    if step.norm_first:
        names = tuple(name.replace("post", "pre") for name in names)
    found = [find(LINES[name]) for name in names]
    return [{"text": line.text, "place": f"{line.file}, line {line.number}"} for line in found]


def _steps(trace: Trace, chosen: Selection) -> PanelData:
    step = trace.steps[chosen.step]
    where = "" if step.layer is None else f"Layer {step.layer}: "
    meta = {
        "caption": f"Step {chosen.step} of {len(trace.steps) - 1}. {where}{KINDS[step.kind].name}",
        "rows": "steps",
        "chosen": chosen.step,
        "says": f"{shape(step)}. {KINDS[step.kind].says}",
        "code": code_of(step),
    }
    return PanelData("steps", meta, 0, dict)


def _journey(trace: Trace, chosen: Selection) -> PanelData:
    """The stations, one layer's at a time; each with the shape of what leaves it."""
    every = journey.stations(trace.steps)
    drawn = journey.shown(every, chosen.step)
    layer = next((station.layer for station in drawn if station.layer is not None), None)
    meta = {
        "caption": "The encoder, and where the text is",
        "stations": [
            {
                "label": station.written,
                "shape": sizes(trace.steps[station.last]),
                "steps": [station.first, station.last],
                "inside": station.layer is not None,
                "says": journey.says(trace.steps, station),
            }
            for station in drawn
        ],
        "layer": layer,
        "layers": trace.layers,
        "chosen": chosen.step,
        "last": len(trace.steps) - 1,
    }
    return PanelData("journey", meta, 0, dict)


def _pieces(trace: Trace, chosen: Selection, key: Hashable) -> PanelData:
    labels, ids = trace.labels[chosen.item], trace.steps[0].numbers[chosen.item]
    ids_too = trace.steps[chosen.step].kind == "ids"
    pieces = [
        Piece(
            text,
            float(number) if ids_too else float("nan"),
            special=text in ("[CLS]", "[SEP]", "[PAD]"),
            unknown=text == "[UNK]",
            continues=text.startswith("##"),
        )
        for text, number in zip(labels, ids, strict=True)
    ]
    return tokens_panel(
        "pieces", pieces, (key, chosen.item, ids_too), chosen.row, caption=f"Text {chosen.item + 1}"
    )


def picture(trace: Trace, number: int, chosen: Selection) -> Picture:
    """What is seen of a step: the chosen text and head, and so many numbers of a wide vector."""
    step = trace.steps[number]
    axes = KINDS[step.kind].axes
    cells: Any = step.numbers
    labels: Sequence[str] = trace.labels[chosen.item]
    parts = []
    if axes == "B S":  # the padding mask: every text
        columns = list(trace.labels[0])
        cells = np.where(cells, -np.inf, 0.0).astype(np.float32)
        return Picture(cells, _texts(trace), columns, range(len(columns)), "all texts")
    if axes == "B D":
        labels = _texts(trace)
    elif axes.startswith("B"):
        cells = cells[chosen.item]
        parts.append(f"text {chosen.item + 1}")
    if "H" in axes.split():
        cells = cells[chosen.head]
        parts.append(f"head {chosen.head}")
    if axes.endswith("S S"):
        places = range(cells.shape[-1])
        return Picture(cells, labels, list(labels), places, ", ".join(parts))
    places = window(cells.shape[-1], chosen.first)
    if len(places) < cells.shape[-1]:
        parts.append(f"numbers {places[0]} to {places[-1]} of {cells.shape[-1]}")
    names = [str(place) for place in places]
    cells = cells[:, places.start : places.stop]
    return Picture(cells, labels, names, places, ", ".join(parts))


def window(width: int, first: int) -> range:
    """Which numbers of a vector are shown."""
    start = max(0, min(first, width - SHOWN))
    return range(start, min(start + SHOWN, width))


def _texts(trace: Trace) -> list[str]:
    return [f"text {i + 1}" for i in range(len(trace.labels))]


def _matrix(
    name: str, trace: Trace, number: int, chosen: Selection, key: Hashable, what: str
) -> PanelData:
    step, seen = trace.steps[number], picture(trace, number, chosen)
    weights = step.kind == "softmax"
    known = np.abs(seen.cells[np.isfinite(seen.cells)])
    limit = 1.0 if weights else _round_up(float(known.max()) if known.size else 0.0)

    def data() -> dict[str, bytes]:
        blocked = ~np.isfinite(seen.cells)
        if weights:
            return {"cells": pack(weight_codes(seen.cells, None, 16), 16)}
        codes = signed_codes(seen.cells, limit, 16)
        codes[blocked] = 2**16 - 1
        return {"cells": pack(codes, 16)}

    layer = "" if step.layer is None else f"layer {step.layer}, "
    row, column = within(seen, chosen)
    meta = {
        "caption": f"{what}: {layer}{KINDS[step.kind].name}, {shape(step)}; {seen.part}",
        "row_labels": list(seen.rows),
        "column_labels": list(seen.columns),
        "bits": 16,
        "scale": "weights" if weights else "signed",
        "limit": limit,
        "chosen": [row, column],
    }
    at = (key, number, chosen.item, chosen.head, seen.places.start)
    return PanelData(name, meta, at, data)


def within(seen: Picture, chosen: Selection) -> tuple[int, int]:
    """The chosen cell's place in a picture, or the nearest that it has."""
    rows, columns = seen.cells.shape
    row = chosen.item if len(seen.rows) != rows or seen.rows[0] == "text 1" else chosen.row
    return min(row, rows - 1), min(chosen.column, columns - 1)


def _round_up(number: float) -> float:
    """A scale's end with two digits, no less than the number, and not 0."""
    if number <= 0:
        return 1.0
    step = 10.0 ** (np.floor(np.log10(number)) - 1)
    return float(np.ceil(number / step) * step)
