"""The position lab's controls and panels, declared; the front end draws them."""

from __future__ import annotations

from typing import Any

from course.labs.controls import sliding
from course.labs.position.compute import BASES, LONGEST

KINDS = [
    ["none", "none"],
    ["sinusoidal", "sinusoidal"],
    ["learned", "learned (MiniLM's table)"],
    ["rotary", "rotary"],
]
WAVES = {"kind": ["sinusoidal", "rotary"]}
ANY = {"kind": ["sinusoidal", "learned", "rotary"]}
FREE = {"kind": ["none", "sinusoidal", "rotary"]}


def form() -> dict[str, Any]:
    """The whole form, as JSON."""
    return {
        "lab": "position",
        "title": "Position lab",
        "groups": [_kind(), _look()],
        "panels": [_table(), _similarity(), _circles(), _distance(), _waves()],
    }


def _kind() -> dict[str, Any]:
    base = {**sliding("step", "base", 0, len(BASES) - 1), "sets": "base"}
    controls = [
        {"name": "kind", "kind": "select", "label": "Positions", "choices": KINDS},
        {
            "name": "d_model",
            "kind": "number",
            "label": "d_model",
            "least": 2,
            "most": 512,
            "step": 2,
            "show": FREE,
            "more": True,
        },
        {**base, "shows": [f"{each:,}" for each in BASES], "show": WAVES},
        {**sliding("length", "length", 2, LONGEST), "more": True},
    ]
    return {"label": "Positions", "controls": controls}


def _look() -> dict[str, Any]:
    controls = [
        sliding("position", "position", 0, LONGEST - 1),
        sliding("other", "another position", 0, LONGEST - 1),
    ]
    return {"label": "Look at", "controls": controls}


def _table() -> dict[str, Any]:
    return {
        "name": "table",
        "kind": "matrix",
        "column": 0,
        "label": "The table: a row for each position",
        "corner": "position ↓ column →",
        "tells": "position {i}, column {j}: {value}",
        "legend": True,
        "widest": 8,
        "row_height": 5,
        "chooses": ["position", "column"],
        "show": ANY,
        "help": "Arrow keys or a click choose a position and a column.",
    }


def _similarity() -> dict[str, Any]:
    return {
        "name": "similarity",
        "more": True,
        "kind": "matrix",
        "column": 0,
        "label": "How alike two positions are",
        "corner": "position ↓ position →",
        "tells": "positions {i} and {j}: {value}",
        "legend": True,
        "widest": 6,
        "chooses": ["position", "other"],
    }


def _circles() -> dict[str, Any]:
    return {
        "name": "circles",
        "kind": "plot",
        "column": 1,
        "label": "Pairs of columns, turning as the position moves",
        "x": {"label": "first of the pair", "ticks": []},
        "y": {"label": "second of the pair", "ticks": []},
        "equal": True,
        "height": 300,
        "tells": "{series}, {label}",
        "chooses": [None, "pair"],
        "show": WAVES,
        "help": (
            "Each pair is drawn on a circle of its own, the fastest innermost; the angles are the "
            "real ones. Move “position” and watch: the inner pairs race, the outer ones creep."
        ),
    }


def _distance() -> dict[str, Any]:
    return {
        "name": "distance",
        "kind": "plot",
        "column": 1,
        "label": "Similarity by distance",
        "x": {"label": "distance between two positions", "whole": True},
        "y": {"label": "cosine", "least": -1.05, "most": 1.1},
        "height": 170,
        "tells": "{x} apart: {series} {y}",
        "chooses": [None, "distance"],
    }


def _waves() -> dict[str, Any]:
    return {
        "name": "waves",
        "more": True,
        "kind": "plot",
        "column": 1,
        "label": "The chosen column and its partner, along the positions",
        "x": {"label": "position", "whole": True},
        "y": {"label": "number"},
        "height": 150,
        "tells": "{series}, position {x}: {y}",
        "chooses": [None, "position"],
        "show": ANY,
    }
