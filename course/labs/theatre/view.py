"""What the theatre shows, packed for the front end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from course.labs.drawing import PanelData
from course.labs.packing import pack, pack_floats, weight_codes
from course.labs.theatre.curve import Curve, constant_of, curve, norms_at
from course.labs.theatre.moments import Head, Picture
from course.labs.theatre.runs import Run
from course.labs.theatre.summary import parts, state

if TYPE_CHECKING:
    from course.training import Training

_NONE_YET = "They are answered as soon as the model is there."
_GO = {"ready": "Start", "running": "Pause"}


@dataclass(frozen=True)
class Selection:
    """What is looked at.

    Attributes:
        cursor: the update whose moment is shown; None follows the newest.
        layer, head: of the picture of a head.
        row, column: the cell that is read in it.
        log: whether the loss has a logarithmic axis.
    """

    cursor: int | None = None
    layer: int = 0
    head: int = 0
    row: int = 0
    column: int = 0
    log: bool = False


def stage(training: Training, runs: Sequence[Run], recording: str, said: str) -> PanelData:
    """What runs, whose parts it has, and its buttons."""
    several = len(runs) > 1
    told = [
        {
            "name": run.name if several else "",
            "words": state(run, training.figure, several),
            "step": run.session.step,
            "total": run.session.total,
        }
        for run in runs
    ]
    meta = {
        "parts": " ".join(filter(None, (parts(training), runs[0].session.compared))),
        "recording": recording,
        "runs": told,
        "buttons": buttons([run.session.state for run in runs]),
        "said": said,
    }
    return PanelData("stage", meta, "", dict)


def buttons(states: Sequence[str]) -> list[dict[str, Any]]:
    """The buttons, each with why it does nothing now where that is so.

    >>> [button["label"] for button in buttons(["paused"])]
    ['Go on', 'Step', 'Stop', 'Start over']
    """
    now = next((n for n in ("running", "paused", "stopped", "failed", "ready") if n in states), "")
    over = "" if now else "The run has ended: “Start over” begins another."
    idle = "" if now in ("running", "paused") else "It does not run now."
    go = {"name": "go", "label": _GO.get(now, "Go on"), "off": over}
    return [
        {**go, "sends": "pause" if now == "running" else "go"},
        {
            "name": "step",
            "label": "Step",
            "off": over or ("Pause first: a step is one update." if now == "running" else ""),
        },
        {"name": "stop", "label": "Stop", "sends": "stop", "off": over or idle},
        {"name": "over", "label": "Start over", "sends": "over"},
    ]


def curves(training: Training, runs: Sequence[Run], chosen: Selection, whole: bool) -> PanelData:
    """The curves: what the views do not have of them, or all of it where `whole`."""
    several = len(runs) > 1
    parts: list[Curve] = []
    chunks = []
    for run in runs:
        records = list(run.session.records)  # another thread adds to them
        first, after = (0, -1) if whole else (min(run.sent, len(records)), run.measured)
        part = curve(records, training.figure, first=first, measured_after=after)
        if first and not len(part.steps) and not len(part.at):
            continue
        parts.append(part)
        sizes = {"count": len(part.steps), "measured": len(part.at)}
        last = int(part.at[-1]) if len(part.at) else after
        chunks.append({"id": run.id, "from": first, "upto": len(records), **sizes, "last": last})
    meta = {
        "runs": [_run(run, several) for run in runs],
        "chunks": chunks,
        "figure": training.figure,
        "baselines": [[name, float(value)] for name, value in training.baselines.items()],
        "moments": _moments(runs),
        "cursor": chosen.cursor,
        "log": chosen.log,
    }
    key = tuple((chunk["id"], chunk["from"], chunk["upto"], chunk["last"]) for chunk in chunks)

    def data() -> dict[str, bytes]:
        return {"numbers": b"".join(part.buffer() for part in parts)}

    return PanelData("curves", meta, key, data)


def _run(run: Run, several: bool) -> dict[str, Any]:
    return {
        "id": run.id,
        "name": run.name if several else "",
        "words": described(run),
        "first": run.first,
        "step": run.session.step,
        "total": run.session.total,
        "constant": constant_of(run.session.total),
        "marks": [[step, text] for step, text in run.marks],
    }


def described(run: Run) -> str:
    """What a run is, for its line in the legend."""
    if run.first or run.name != "A":
        return f"branch after update {run.first:,}, {run.told}"
    return "the first run"


def _moments(runs: Sequence[Run]) -> list[int]:
    return sorted({int(step) for run in runs for step in run.session.moments.steps})


def answers(
    training: Training, run: Run, name: str, picture: Picture | None, several: bool
) -> PanelData:
    """The held-out examples, answered by the model of a moment."""
    named = f"{run.name}: h" if several else "H"
    after = "" if picture is None else f", after update {picture.step:,}"
    examples = [
        {
            "prompt": each.prompt,
            "right": each.right,
            "guesses": [[word, round(float(share), 4)] for word, share in each.guesses],
        }
        for each in (picture.answers if picture else ())
    ]
    meta = {
        "caption": f"{named}eld-out examples{after}",
        "at": None if picture is None else picture.step,
        "examples": examples,
        "empty": "" if examples else (picture.fault if picture else "") or _NONE_YET,
    }
    return PanelData(name, meta, "", dict)


def head_map(
    run: Run, name: str, picture: Picture | None, chosen: Selection, several: bool
) -> PanelData | None:
    """Where the chosen head looks; None where there is no such picture yet."""
    head = picture.head if picture else None
    if picture is None or head is None:
        return None
    layer, number = fitted(head, chosen)
    named = f"{run.name}: w" if several else "W"
    last = len(head.tokens) - 1
    meta = {
        "caption": f"{named}here head {number} of layer {layer} looks, after update {picture.step:,}",
        "row_labels": list(head.tokens),
        "column_labels": list(head.tokens),
        "bits": 8,
        "scale": "weights",
        "limit": 1.0,
        "chosen": [min(chosen.row, last), min(chosen.column, last)],
    }

    def data() -> dict[str, bytes]:
        return {"cells": pack(weight_codes(head.weights[layer, number], None, 8), 8)}

    return PanelData(name, meta, (run.id, picture.step, layer, number), data)


def fitted(head: Head, chosen: Selection) -> tuple[int, int]:
    """The nearest layer and head that there are."""
    layers, heads = head.weights.shape[:2]
    return min(max(chosen.layer, 0), layers - 1), min(max(chosen.head, 0), heads - 1)


def norms(runs: Sequence[Run], steps: Sequence[int]) -> PanelData:
    """The gradient's length by layer, of each run at an update."""
    found = [norms_at(run.session.records, step) for run, step in zip(runs, steps, strict=True)]
    layers = list(dict.fromkeys(layer for each in found for layer in each))
    table = np.array(
        [[each.get(layer, np.nan) for each in found] for layer in layers], np.float32
    ).reshape(len(layers), len(runs))
    finite = table[np.isfinite(table)]
    most = float(f"{float(finite.max()):.1g}") if len(finite) and finite.max() > 0 else 1.0
    several = len(runs) > 1
    columns = [
        {"label": run.name if several else "length", "digits": 3, "bar": most} for run in runs
    ]
    meta = {
        "caption": f"Length of the gradient, by layer, at update {steps[0]:,}",
        "row_labels": layers,
        "foot_labels": [],
        "columns": columns,
    }
    return PanelData("norms", meta, table.tobytes(), lambda: {"numbers": pack_floats(table)})


def choices(pictures: Sequence[Picture | None]) -> dict[str, list[list[Any]]]:
    """The layers and heads that can be chosen."""
    shapes = [each.head.weights.shape for each in pictures if each and each.head]
    layers, heads = (max(shape[i] for shape in shapes) if shapes else 1 for i in (0, 1))
    return {
        "layer": [[number, str(number)] for number in range(layers)],
        "head": [[number, str(number)] for number in range(heads)],
    }
