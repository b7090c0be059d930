"""The embedding lab's controls and panels, declared; the front end draws them."""

from __future__ import annotations

from typing import Any

from course.labs.embedding.compute import LONGEST
from course.labs.embedding.words import ANALOGIES, GROUPS


def form() -> dict[str, Any]:
    """The whole form, as JSON."""
    return {
        "lab": "embedding",
        "title": "Embedding lab",
        "groups": [_word(), _analogy()],
        "panels": [_map(), _near(), _answers(), _scores()],
    }


def _word() -> dict[str, Any]:
    groups = [[name, name] for name in GROUPS]
    controls = [
        {"name": "word", "kind": "text", "label": "Word", "longest": LONGEST, "main": True},
        {"name": "group", "kind": "select", "label": "On the map", "choices": groups},
    ]
    return {"label": "Look at", "controls": controls}


def _analogy() -> dict[str, Any]:
    names = (("a", "a"), ("b", "− b"), ("c", "+ c"))
    examples = [["", "choose one"], *([i, str(each)] for i, each in enumerate(ANALOGIES))]
    controls: list[dict[str, Any]] = [
        {"name": name, "kind": "text", "label": label, "longest": LONGEST} for name, label in names
    ]
    controls += [
        {"name": "exclude", "kind": "check", "label": "leave a, b and c out of the answers"},
        {"name": "example", "kind": "select", "label": "Examples", "choices": examples},
    ]
    label = "Analogy: what a is to b, is ? to c"
    return {"label": label, "wide": True, "more": True, "controls": controls}


def _map() -> dict[str, Any]:
    return {
        "name": "map",
        "kind": "plot",
        "column": 0,
        "label": "The map",
        "equal": True,
        "height": 470,
        "tells": "{series}: “{label}”",
        "sends": "word",
        "help": (
            "Arrow keys or a click choose a word. The map is the plane in which the vectors of "
            "its words spread most (PCA); most of their spread lies in the other 382 directions, "
            "so what is near here may be far apart. The list of neighbours uses all 384."
        ),
    }


def _near() -> dict[str, Any]:
    return {
        "name": "near",
        "kind": "table",
        "column": 1,
        "label": "Nearest words, of 12,000",
        "ranked": True,
        "chooses": "neighbour",
    }


def _answers() -> dict[str, Any]:
    return {
        "name": "answers",
        "more": True,
        "kind": "table",
        "column": 1,
        "label": "Nearest to a − b + c",
        "ranked": True,
        "wide_labels": True,
    }


def _scores() -> dict[str, Any]:
    return {
        "name": "scores",
        "more": True,
        "kind": "table",
        "column": 1,
        "label": "Where analogies lead: the rank of the expected word among 12,000",
        "wide_labels": True,
        "chooses": "example",
        "help": (
            "Rank 1 is the nearest word. “inputs kept”: a or c itself usually comes first, so an "
            "analogy only “works” because the inputs are left out. “c alone”: without the "
            "analogy, the nearest words to c. A click sets the analogy."
        ),
    }
