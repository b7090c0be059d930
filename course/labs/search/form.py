"""The search lab's controls and panels, declared; the front end draws them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from course.labs.controls import sliding
from course.labs.search.compute import LONGEST, MOST_SHOWN
from course.labs.search.reading import LONGEST_PATH


def form(examples: Sequence[str]) -> dict[str, Any]:
    """The whole form, as JSON."""
    return {
        "lab": "search",
        "title": "Search lab",
        "groups": [_question(examples), _shelf()],
        "panels": [_reading(), _words(), _by_meaning(), _by_words(), _both(), _added()],
    }


def _question(examples: Sequence[str]) -> dict[str, Any]:
    text = {"name": "text", "kind": "text", "label": "Question", "longest": LONGEST, "main": True}
    choices = [["", "choose one"], *([each, each] for each in examples)]
    example = {"name": "example", "kind": "select", "label": "Examples", "choices": choices}
    shown = {**sliding("shown", "Passages shown", 1, MOST_SHOWN), "more": True}
    return {"label": "Question", "controls": [text, example, shown]}


def _shelf() -> dict[str, Any]:
    folder = {
        "name": "folder",
        "kind": "text",
        "label": "Your folder",
        "longest": LONGEST_PATH,
        "placeholder": "~/notes",
        "help": "Text files are read and embedded here; nothing leaves this machine.",
    }
    controls: list[dict[str, Any]] = [
        {"name": "shelf", "kind": "select", "label": "Search in", "choices": []},
        folder,
        {"name": "begin", "kind": "button", "label": "Read this folder"},
    ]
    return {"label": "What is searched", "wide": True, "controls": controls}


def _reading() -> dict[str, Any]:
    return {
        "name": "reading",
        "kind": "stage",
        "wide": True,
        "label": "Your folder",
        "show": {"reading": True},
        "drives": "The reading",
        "counts": "passages embedded",
    }


def _words() -> dict[str, Any]:
    return {
        "name": "words",
        "kind": "tokens",
        "wide": True,
        "label": "The question's words: how many passages have each",
        "number": "passages with it",
        "tells": "“{piece}” stands in {value} passages",
        "key": "hatched: in no passage · dashed: not counted",
        "called": {"unknown": "", "special": "not counted by the search by words"},
        "nameless": "“{piece}”",
        "help": "The brighter, the more the word adds to the chosen passage's score by words.",
    }


def _by_meaning() -> dict[str, Any]:
    return {
        "name": "by_meaning",
        "kind": "passages",
        "column": 0,
        "label": "By meaning",
        "score": "cosine",
        "chooses": "passage",
        "help": "Cosine of the MiniLM vectors, every passage compared. Words of the question are marked.",
    }


def _by_words() -> dict[str, Any]:
    return {
        "name": "by_words",
        "kind": "passages",
        "column": 1,
        "label": "By words",
        "score": "TF-IDF",
        "chooses": "passage",
        "help": "Cosine of the TF-IDF vectors: shared words count, rare ones more.",
    }


def _both() -> dict[str, Any]:
    return {
        "name": "both",
        "more": True,
        "kind": "plot",
        "column": 0,
        "label": "Both scores: the first 40 of either ranking",
        "x": {"label": "by words", "least": 0},
        "y": {"label": "by meaning"},
        "height": 200,
        "tells": "{label}: {x} by words, {y} by meaning",
        "help": "At the left edge: near in meaning, without one shared word.",
    }


def _added() -> dict[str, Any]:
    return {
        "name": "added",
        "more": True,
        "kind": "table",
        "column": 1,
        "label": "What each word adds to the chosen passage's score by words",
        "wide_labels": True,
        "ranked": True,
    }
