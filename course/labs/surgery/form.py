"""The surgery table's controls and panels, declared; the front end draws them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from course.labs.surgery.compute import LONGEST

REPLACED_BY = [
    ["zero", "zero"],
    ["mean", "its mean over the sentence"],
    ["other", "what it was for the other sentence"],
]
CALLED = {"unknown": "the question", "special": "special token"}


def form(layers: int, examples: Sequence[str], classifies: bool) -> dict[str, Any]:
    """The whole form, as JSON."""
    return {
        "lab": "surgery",
        "title": "Surgery table",
        "groups": [_text(examples), _cutting(layers)],
        "panels": [
            _tokens(classifies),
            _attention(classifies),
            _heads(),
            _sharpness(),
            _parts(),
            _neurons(),
        ],
    }


def _text(examples: Sequence[str]) -> dict[str, Any]:
    text = {"name": "text", "kind": "text", "label": "Sentence", "longest": LONGEST, "main": True}
    choices = [["", "choose one"], *([each, each] for each in examples)]
    example = {"name": "example", "kind": "select", "label": "Examples", "choices": choices}
    return {"label": "Sentence", "wide": True, "controls": [text, example]}


def _cutting(layers: int) -> dict[str, Any]:
    other = {
        "name": "other",
        "kind": "text",
        "label": "Other sentence",
        "longest": LONGEST,
        "show": {"replace": "other"},
    }
    return {
        "label": "Cutting",
        "controls": [
            {"name": "head_off", "kind": "check", "label": "The chosen head stays off"},
            {"name": "all_on", "kind": "button", "label": "All heads on"},
            {
                "name": "replace",
                "more": True,
                "kind": "select",
                "label": "What is cut becomes",
                "choices": REPLACED_BY,
            },
            {**other, "more": True},
            {
                "name": "neurons_of",
                "more": True,
                "kind": "select",
                "label": "Neurons of layer",
                "choices": [[i, str(i)] for i in range(layers)],
            },
        ],
    }


def _tokens(classifies: bool) -> dict[str, Any]:
    panel: dict[str, Any] = {
        "name": "tokens",
        "kind": "tokens",
        "column": 0,
        "label": "What the answer gains or loses when a token is blanked",
        "number": "change of the answer's probability",
        "digits": 2,
        "tells": "token {i}: “{piece}”, change {value}",
        "key": "hatched: the question · dashed: special token",
        "called": CALLED,
        "nameless": "token {i}: “{piece}”",
        "help": "Blue: the answer loses probability without this token; orange: it gains.",
    }
    if classifies:
        return {**panel, "key": "dashed: special token"}
    asks = "Arrow keys or a click choose the word that is asked for."
    return {**panel, "chooses": "place", "help": f"{panel['help']} {asks}"}


def _attention(classifies: bool) -> dict[str, Any]:
    """What it is the attention of depends on the question: a blank asks at its place, a class everywhere."""
    asks = "all tokens" if classifies else "the question"
    return {
        "name": "attention",
        "kind": "tokens",
        "column": 0,
        "label": "What attention would have suggested: the mean weight of all heads on each token",
        "number": f"mean attention weight from {asks}",
        "digits": 2,
        "tells": "token {i}: “{piece}”, mean weight {value}",
        "key": f"the brighter, the more {asks} {'look' if classifies else 'looks'} at it",
        "called": CALLED,
    }


def _heads() -> dict[str, Any]:
    return {
        "name": "heads",
        "kind": "matrix",
        "column": 1,
        "label": "What the answer gains or loses with each head cut out",
        "corner": "layer ↓ head →",
        "tells": "layer {i}, head {j}: change {value}",
        "digits": 2,
        "widest": 56,
        "row_height": 28,
        "legend": True,
        "chooses": ["layer", "head"],
    }


def _sharpness() -> dict[str, Any]:
    return {
        "name": "sharpness",
        "kind": "matrix",
        "column": 1,
        "label": "What attention would have suggested: how sharply each head looks",
        "corner": "layer ↓ head →",
        "tells": "layer {i}, head {j}: its largest weight is {value}",
        "digits": 2,
        "widest": 56,
        "row_height": 28,
        "legend": True,
        "chooses": ["layer", "head"],
    }


def _parts() -> dict[str, Any]:
    return {
        "name": "parts",
        "kind": "table",
        "column": 1,
        "label": "Whole sublayers cut out: the change of the answer's probability",
    }


def _neurons() -> dict[str, Any]:
    return {
        "name": "neurons",
        "more": True,
        "kind": "table",
        "column": 0,
        "label": "Neurons cut out one by one, those with the largest change",
        "ranked": True,
    }
