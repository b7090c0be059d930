"""The masked-word lab's controls and panels, declared; the front end draws them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from course.labs.masked_word.compute import LONGEST


def form(steps: Sequence[int], examples: Sequence[str]) -> dict[str, Any]:
    """The whole form, as JSON; `steps` are the updates of the moments on the slider."""
    return {
        "lab": "masked-word",
        "title": "Masked-word lab",
        "groups": [_text(examples), _training(steps)],
        "panels": [_pieces(), _guesses(), *([_history()] if len(steps) > 1 else [])],
    }


def _text(examples: Sequence[str]) -> dict[str, Any]:
    text = {"name": "text", "kind": "text", "label": "Sentence", "longest": LONGEST, "main": True}
    choices = [["", "choose one"], *([each, each] for each in examples)]
    example = {"name": "example", "kind": "select", "label": "Examples", "choices": choices}
    return {"label": "Sentence", "wide": True, "controls": [text, example]}


def _training(steps: Sequence[int]) -> dict[str, Any]:
    controls: list[dict[str, Any]] = [
        {"name": "blank", "kind": "button", "label": "Blank the chosen token, or show it again"},
        {"name": "restore", "kind": "button", "label": "Show all"},
    ]
    if len(steps) > 1:
        moment = {
            "name": "moment",
            "kind": "range",
            "label": "The model after",
            "least": 0,
            "most": len(steps) - 1,
            "step": 1,
            "shows": [f"{step:,} updates" for step in steps],
        }
        controls.insert(0, moment)
    return {"label": "What the model reads", "controls": controls}


def _pieces() -> dict[str, Any]:
    return {
        "name": "pieces",
        "kind": "tokens",
        "column": 0,
        "label": "The sentence as the model reads it",
        "number": "probability of the token that was written",
        "digits": 2,
        "tells": "token {i}: “{piece}”, probability {value}",
        "chooses": "piece",
        "toggles": "blanks",
        "key": "hatched: blanked · dashed: special token",
        "called": {"unknown": "blanked", "special": "special token"},
        "nameless": "token {i}: “{piece}”",
        "help": (
            "Arrow keys or a click choose a token; space blanks it, or shows it again. Below each stands "
            "how likely the model finds the token that was written there."
        ),
    }


def _guesses() -> dict[str, Any]:
    return {
        "name": "guesses",
        "kind": "table",
        "column": 1,
        "label": "What the model would put there",
        "wide_labels": True,
        "ranked": True,
        "help": "The likeliest tokens at the chosen place. ✓ marks the one that was written.",
    }


def _history() -> dict[str, Any]:
    return {
        "name": "history",
        "kind": "plot",
        "column": 0,
        "label": "The token that was written, as training goes on",
        "x": {"label": "updates", "whole": True},
        "y": {"label": "probability", "least": 0},
        "height": 130,
        "tells": "after {x} updates: probability {y}",
        "chooses": [None, "moment"],
    }
