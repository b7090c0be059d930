"""The decoding lab's controls and panels, declared; the front end draws them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from course.labs.controls import sliding
from course.labs.decoding.compute import DEEPEST, LONGEST, MOST_K, WIDEST


def form(examples: Sequence[str]) -> dict[str, Any]:
    """The whole form, as JSON."""
    return {
        "lab": "decoding",
        "title": "Decoding lab",
        "groups": [_text(examples), _drawing(), _searching()],
        "panels": [_sentence(), _next(), _tree()],
    }


def _text(examples: Sequence[str]) -> dict[str, Any]:
    choices = [["", "choose one"], *([each, each] for each in examples)]
    return {
        "label": "Text",
        "wide": True,
        "controls": [
            {
                "name": "text",
                "kind": "text",
                "label": "Keywords",
                "longest": LONGEST,
                "main": True,
            },
            {
                "name": "example",
                "kind": "select",
                "label": "Examples",
                "choices": choices,
                "more": True,
            },
            {
                "name": "begun",
                "kind": "text",
                "label": "The sentence so far",
                "longest": LONGEST,
                "placeholder": "nothing yet",
            },
            {"name": "back", "kind": "button", "more": True, "label": "Take back one token"},
            {"name": "restart", "kind": "button", "more": True, "label": "Start again"},
        ],
    }


def _drawing() -> dict[str, Any]:
    return {
        "label": "Drawing a token",
        "controls": [
            sliding("temperature", "Temperature", 0.1, 3.0, 0.1, 1),
            sliding("top_k", "top-k (0: all)", 0, MOST_K, 1, 0),
            sliding("top_p", "top-p", 0.05, 1.0, 0.05, 2),
            {"name": "draw", "kind": "button", "more": True, "label": "Draw a token"},
            {"name": "take", "kind": "button", "more": True, "label": "Take the chosen token"},
        ],
    }


def _searching() -> dict[str, Any]:
    return {
        "label": "Searching with a beam",
        "controls": [
            sliding("beam", "Beam", 1, WIDEST, 1, 0),
            {**sliding("length_penalty", "Length penalty", 0.0, 3.0, 0.1, 1), "more": True},
            {
                "name": "follow",
                "kind": "button",
                "more": True,
                "label": "Take the tree up to the chosen place",
            },
        ],
    }


def _sentence() -> dict[str, Any]:
    return {
        "name": "sentence",
        "kind": "tokens",
        "wide": True,
        "label": "The sentence so far",
        "number": "probability when it was written",
        "digits": 2,
        "tells": "token {i}: “{piece}”, probability {value}",
        "nameless": "“{piece}”, where every sentence starts",
        "key": "dashed: the start · below each token: how likely the model found it there",
    }


def _next() -> dict[str, Any]:
    return {
        "name": "next",
        "kind": "table",
        "column": 0,
        "label": "The next token",
        "wide_labels": True,
        "ranked": True,
        "chooses": "candidate",
        "takes": "take",
        "help": (
            "A click takes a token and goes on after it; so does Enter at the one that the arrow "
            "keys chose. Grey: cut, and never drawn."
        ),
    }


def _tree() -> dict[str, Any]:
    return {
        "name": "tree",
        "kind": "plot",
        "column": 1,
        "label": "The beam as a tree",
        "x": {"label": "tokens ahead", "whole": True, "least": 0},
        "y": {"label": "rank", "least": -WIDEST, "most": 0},
        "height": 250,
        "tells": "{label}",
        "chooses": [None, "node"],
        "help": (
            f"From left to right, at most {DEEPEST} tokens ahead: the hypotheses kept at each step, the "
            "likeliest on top. ■: the sentence ends; …: it is cut there and would go on. Arrow keys or a click "
            "choose a place. The thick line is the sentence that wins."
        ),
    }
