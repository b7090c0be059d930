"""The translation lab's controls and panels, declared; the front end draws them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from course.labs.controls import sliding
from course.labs.translation.compute import (
    LONGEST,
    OTHER,
    OWN,
    SHUFFLED_MEMORY,
    SHUFFLED_TEXT,
    WIDEST,
    ZEROS,
)

CHANGED = [OTHER, SHUFFLED_TEXT, SHUFFLED_MEMORY, ZEROS]


def form(examples: Sequence[str], layers: int, heads: int, longest: int) -> dict[str, Any]:
    """The whole form, as JSON, for a model with so many layers and heads."""
    return {
        "lab": "translation",
        "title": "Translation lab",
        "groups": [_text(examples), _look(layers, heads), _write(), _memory(longest)],
        "panels": [_texts(), _written(), _read(), _flow(), _next(), _weights(), _tree()],
    }


def _text(examples: Sequence[str]) -> dict[str, Any]:
    choices = [["", "choose one"], *([each, each] for each in examples)]
    return {
        "label": "Phrase",
        "controls": [
            {
                "name": "text",
                "kind": "text",
                "label": "English phrase",
                "longest": LONGEST,
                "main": True,
            },
            {"name": "example", "kind": "select", "label": "Examples", "choices": choices},
        ],
    }


def _look(layers: int, heads: int) -> dict[str, Any]:
    def choices(name: str, count: int) -> list[list[Any]]:
        return [[-1, f"mean of all {name}s"], *([i, f"{name} {i}"] for i in range(count))]

    return {
        "label": "Cross-attention, step by step",
        "controls": [
            {
                "name": "layer",
                "kind": "select",
                "label": "Layer",
                "choices": choices("layer", layers),
            },
            {"name": "head", "kind": "select", "label": "Head", "choices": choices("head", heads)},
            {
                "name": "release",
                "kind": "button",
                "label": "Release what is forced",
                "show": {"any_forced": True},
            },
        ],
    }


def _write() -> dict[str, Any]:
    beam = {**sliding("beam", "Beam", 1, WIDEST), "more": True}
    force = {
        "name": "force",
        "kind": "button",
        "label": "Force the chosen token here",
        "more": True,
    }
    return {
        "label": "Writing",
        "controls": [
            beam,
            force,
            {
                "name": "follow",
                "kind": "button",
                "label": "Force the tree's path up to the chosen place",
                "more": True,
            },
        ],
    }


def _memory(longest: int) -> dict[str, Any]:
    choices = [
        [OWN, "the phrase's own"],
        [OTHER, "another phrase's"],
        [SHUFFLED_TEXT, "its characters shuffled, then encoded"],
        [SHUFFLED_MEMORY, "encoded, then its vectors shuffled"],
        [ZEROS, "zeros"],
    ]
    return {
        "label": "Memory: what the encoder hands over",
        "controls": [
            {"name": "memory", "kind": "select", "label": "Memory", "choices": choices},
            {
                "name": "other",
                "kind": "text",
                "label": "Other phrase",
                "longest": LONGEST,
                "show": {"memory": OTHER},
            },
            {**sliding("since", "From step", 1, longest), "show": {"memory": CHANGED}},
            {
                "name": "from_here",
                "kind": "button",
                "label": "From the chosen step on",
                "show": {"memory": CHANGED},
            },
        ],
    }


def _texts() -> dict[str, Any]:
    return {
        "name": "texts",
        "kind": "texts",
        "wide": True,
        "label": "The translation",
    }


def _written() -> dict[str, Any]:
    return {
        "name": "written",
        "kind": "tokens",
        "wide": True,
        "more": True,
        "label": "Step by step: what is written",
        "number": "probability",
        "digits": 2,
        "tells": "step {i}: “{piece}”, probability {value}",
        "nameless": "step {i}: “{piece}”",
        "chooses": "step",
        "called": {"unknown": "forced", "special": "the end"},
        "key": "dashed: the end · hatched: forced · below each character: its probability",
        "first": 1,
        "help": "Arrow keys or a click choose the step that all pictures show.",
    }


def _read() -> dict[str, Any]:
    return {
        "name": "read",
        "kind": "tokens",
        "wide": True,
        "more": True,
        "label": "Where the chosen step looks",
        "number": "weight",
        "digits": 2,
        "tells": "character {i}: “{piece}”, weight {value}",
        "nameless": "character {i}: “{piece}”, not looked at in this step",
        "chooses": "place",
        "called": {"unknown": "unknown to the model", "special": "the end"},
        "key": "dashed: the end · hatched: unknown to the model",
        "first": 1,
    }


def _weights() -> dict[str, Any]:
    return {
        "name": "weights",
        "kind": "matrix",
        "column": 1,
        "more": True,
        "label": "Cross-attention: each step's weights",
        "corner": "step ↓ character →",
        "tells": "step {i} “{row}” gives character {j} “{column}”: {value}",
        "first": 1,
        "digits": 2,
        "legend": True,
        "widest": 26,
        "chooses": ["step", "place"],
        "help": (
            "Rows are the steps of the translation, columns the characters that were read. Arrow keys "
            "or a click choose; hatched: not looked at."
        ),
    }


def _flow() -> dict[str, Any]:
    return {
        "name": "flow",
        "kind": "flow",
        "column": 0,
        "label": "The order turned round: from each step (left) to the characters it looks at (right)",
        "chooses": ["step", "place"],
        "sides": ["step", "character"],
        "first": 1,
        "help": (
            "The heavier the weight, the thicker its line. Lines that cross say that the two languages "
            "put their parts in another order. Up and down choose the step, left and right the "
            "character, and so does a click on either side."
        ),
    }


def _next() -> dict[str, Any]:
    return {
        "name": "next",
        "kind": "table",
        "column": 1,
        "label": "The chosen step's distribution",
        "wide_labels": True,
        "ranked": True,
        "chooses": "candidate",
        "takes": "force",
        "help": (
            "A click forces a token at this step, and the rest is written anew; so does Enter at the "
            "one that the arrow keys chose."
        ),
    }


def _tree() -> dict[str, Any]:
    return {
        "name": "tree",
        "kind": "plot",
        "column": 1,
        "more": True,
        "label": "The beam as a tree",
        "x": {"label": "step", "whole": True, "least": 0},
        "y": {"label": "rank", "least": -WIDEST, "most": 0},
        "height": 200,
        "tells": "{label}",
        "chooses": [None, "node"],
        "help": (
            "From left to right: the hypotheses kept at each step, the likeliest on top. Arrow keys or a "
            "click walk through them; the line above says what is written up to there. The thick line wins."
        ),
    }
