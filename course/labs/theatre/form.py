"""The theatre's controls and panels, declared; the front end draws them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from course.labs.theatre.settings import label, numbers, value_of

if TYPE_CHECKING:
    from course.training import Training

_START = "Needs a new start: “Start over” takes it."
_BRANCH = "“Branch here” and “Start over” take it."
_RATE = "“Change the rate now”, “Branch here” and “Start over” take it."


def form(training: Training) -> dict[str, Any]:
    """The whole form, as JSON."""
    return {
        "lab": "theatre",
        "title": f"Training theatre: {training.title}",
        "groups": [*_head(training), _curves(), _change(training), _anew(training)],
        "panels": [
            _stage(training),
            _plots(training),
            *_answers(training),
            *_heads(training),
            *_norms(),
        ],
    }


def _head(training: Training) -> list[dict[str, Any]]:
    if training.head is None:
        return []
    controls = [
        {"name": name, "kind": "select", "label": told}
        for name, told in (("layer", "Layer"), ("head", "Head"))
    ]
    return [{"label": "Where a head looks", "controls": controls}]


def _curves() -> dict[str, Any]:
    log = {"name": "log", "kind": "check", "label": "loss on a logarithmic axis"}
    return {"label": "Curves", "more": True, "controls": [log]}


def _change(training: Training) -> dict[str, Any]:
    return {
        "label": "Change this run, or branch off",
        "more": True,
        "controls": [
            _number(training, "learning_rate", _RATE),
            {"name": "rate_now", "kind": "button", "label": "Change the rate now"},
            _number(training, "dropout", _BRANCH),
            {"name": "branch", "kind": "button", "label": "Branch here"},
        ],
    }


def _anew(training: Training) -> dict[str, Any]:
    settings = training.settings
    names = ("warmup", "steps", "nhead", "num_layers", "d_model")
    return {
        "label": "For a new start",
        "more": True,
        "controls": [
            *(_number(training, name, _START) for name in names),
            _positions(training),
            _number(training, "seed", _START),
            *(_number(training, name, _START) for name in numbers(settings)),
        ],
    }


def _number(training: Training, name: str, taken: str) -> dict[str, Any]:
    default = value_of(training.settings, name)
    told = " ".join(filter(None, (training.notes.get(name, ""), taken)))
    spec = {"name": name, "kind": "number", "label": label(name), "help": told, "least": 0}
    return {**spec, "step": 1 if isinstance(default, int) else step_of(default)}


def step_of(default: float) -> float:
    """A tenth of the number's power of ten, so that an arrow key changes its second digit.

    >>> step_of(0.001), step_of(0.1), step_of(0.0)
    (0.0001, 0.01, 0.05)
    """
    if default <= 0:
        return 0.05
    return float(f"{10.0 ** (math.floor(math.log10(default) + 1e-9) - 1):.3g}")


def _positions(training: Training) -> dict[str, Any]:
    """A choice among the positions that this training takes."""
    return {
        "name": "positions",
        "kind": "select",
        "label": label("positions"),
        "help": _START,
        "choices": [[name, name] for name in training.positions],
    }


def _stage(training: Training) -> dict[str, Any]:
    return {"name": "stage", "kind": "stage", "label": training.title, "wide": True}


def _plots(training: Training) -> dict[str, Any]:
    return {
        "name": "curves",
        "kind": "curves",
        "label": f"Loss and {training.figure}",
        "wide": True,
        "help": "Points: the loss of each update; line: smoothed. Drag in the picture or move the "
        "slider to look at an earlier moment; arrow keys go from one kept moment to the next, with "
        "Shift from update to update.",
    }


def _answers(training: Training) -> list[dict[str, Any]]:
    if training.examples is None:
        return []
    panel = {"kind": "answers", "label": "Held-out examples", "column": 0}
    return [
        {**panel, "name": "answers"},
        {**panel, "name": "answers_b", "show": {"runs": 2}},
    ]


def _heads(training: Training) -> list[dict[str, Any]]:
    if training.head is None:
        return []
    panel = {
        "kind": "matrix",
        "label": "Where the head looks",
        "column": 1,
        "corner": "from",
        "widest": 30,
        "legend": True,
        "digits": 2,
        "tells": "{row} looks at {column}: {value}",
        "chooses": ["row", "column"],
    }
    return [{**panel, "name": "head_map"}, {**panel, "name": "head_map_b", "show": {"runs": 2}}]


def _norms() -> list[dict[str, Any]]:
    panel = {
        "name": "norms",
        "kind": "table",
        "label": "Length of the gradient, by layer",
        "column": 1,
        "more": True,
        "wide_labels": True,
    }
    return [panel]
