"""The embedding lab's controls and panels, declared; the front end draws them."""

from __future__ import annotations

from typing import Any

from course.labs.checkpoints import MINILM
from course.labs.embedding.compute import LONGEST
from course.labs.embedding.words import GROUPS, analogies, group, table


def form(source: str = MINILM) -> dict[str, Any]:
    """The whole form, as JSON, for the words of the encoder at a source."""
    words, width = table(source).vectors.shape
    count = f"{words // 1000 * 1000:,}"
    return {
        "lab": "embedding",
        "title": "Embedding lab",
        "groups": [_word(source), _analogy(source)],
        "panels": [_map(width), _near(count), _answers(), _scores(count)],
    }


def _word(source: str) -> dict[str, Any]:
    groups = [[name, name] for name in GROUPS if len(group(name, source)) > 2]
    controls = [
        {"name": "word", "kind": "text", "label": "Word", "longest": LONGEST, "main": True},
        {"name": "group", "kind": "select", "label": "On the map", "choices": groups},
    ]
    return {"label": "Look at", "controls": controls}


def _analogy(source: str) -> dict[str, Any]:
    names = (("a", "a"), ("b", "− b"), ("c", "+ c"))
    examples = [["", "choose one"], *([i, str(each)] for i, each in enumerate(analogies(source)))]
    controls: list[dict[str, Any]] = [
        {"name": name, "kind": "text", "label": label, "longest": LONGEST} for name, label in names
    ]
    controls += [
        {"name": "exclude", "kind": "check", "label": "leave a, b and c out of the answers"},
        {"name": "example", "kind": "select", "label": "Examples", "choices": examples},
    ]
    label = "Analogy: what a is to b, is ? to c"
    return {"label": label, "wide": True, "more": True, "controls": controls}


def _map(width: int) -> dict[str, Any]:
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
            f"its words spread most (PCA); most of their spread lies in the other {width - 2} directions, "
            f"so what is near here may be far apart. The list of neighbours uses all {width}."
        ),
    }


def _near(count: str) -> dict[str, Any]:
    return {
        "name": "near",
        "kind": "table",
        "column": 1,
        "label": f"Nearest words, of {count}",
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


def _scores(count: str) -> dict[str, Any]:
    return {
        "name": "scores",
        "more": True,
        "kind": "table",
        "column": 1,
        "label": f"Where analogies lead: the rank of the expected word among {count}",
        "wide_labels": True,
        "chooses": "example",
        "help": (
            "Rank 1 is the nearest word. “inputs kept”: a or c itself usually comes first, so an "
            "analogy only “works” because the inputs are left out. “c alone”: without the "
            "analogy, the nearest words to c. A click sets the analogy."
        ),
    }
