"""The vision lab's controls and panels, declared; the front end draws them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from course.labs.controls import sliding
from course.labs.vision.compute import DARKEST, MOST_SEEDS, MOVED, OFF, TRAINED, Reader

TOOLS = ((0, "soft brush"), (1, "fine pen"), (2, "eraser"))
Form = dict[str, Any]


def form(reader: Reader) -> Form:
    """The whole form, as JSON, for a reader's model and examples."""
    return {
        "lab": "vision",
        "title": "Vision lab",
        "groups": [_draw(), _examples(reader), _patches(reader), _look(reader)],
        "panels": [_sentence(), _sketch(), _answer(), _attention(reader), _effect(), _read()],
    }


def _draw() -> Form:
    return {
        "label": "Draw",
        "controls": [
            {
                "name": "tool",
                "kind": "select",
                "label": "Tool",
                "choices": [list(each) for each in TOOLS],
            },
            _button("clear", "Clear", sets="pixels"),
            {**sliding("level", "Ink", 1, DARKEST), "more": True},
        ],
    }


def _examples(reader: Reader) -> Form:
    return {
        "label": "Begin with an example",
        "controls": [
            {
                "name": "example",
                "kind": "number",
                "label": "Example",
                "least": 0,
                "most": len(reader.images) - 1,
                "step": 1,
            },
            _button("previous", "Previous"),
            _button("next", "Next"),
        ],
    }


def _patches(reader: Reader) -> Form:
    choices = [
        [TRAINED, "as trained, place by place"],
        [MOVED, "moved along with the patches"],
        [OFF, "off"],
    ]
    positions = {
        "name": "positions",
        "kind": "select",
        "label": "Positions",
        "choices": choices if reader.movable else choices[:1],
        "show": {"rearranged": True},
    }
    seed = {
        "name": "seed",
        "kind": "number",
        "label": "Seed",
        "least": 0,
        "most": MOST_SEEDS,
        "step": 1,
        "show": {"shuffled": True},
    }
    return {
        "label": "Patches",
        "controls": [
            _button("shuffle", "Shuffle the patches", sets="shuffled"),
            _button("restore", "Put them back", show={"shuffled": True}),
            seed,
            positions,
            _button("uncover", "Uncover all", sets="occluded", show={"any_occluded": True}),
        ],
    }


def _look(reader: Reader) -> Form:
    def choices(name: str, count: int) -> list[list[Any]]:
        return [[-1, f"mean of all {name}s"], *([i, f"{name} {i}"] for i in range(count))]

    nobody = "the class token" if reader.has_class_token else "mean of all patches"
    queries = [[-1, nobody], *([i, f"patch {i}"] for i in range(reader.count))]
    return {
        "label": "Attention",
        "more": True,
        "controls": [
            _select("layer", "Layer", choices("layer", reader.layers)),
            _select("head", "Head", choices("head", reader.heads)),
            _select("query", "Query", queries),
        ],
    }


def _select(name: str, label: str, choices: list[list[Any]]) -> Form:
    return {"name": name, "kind": "select", "label": label, "choices": choices}


def _button(
    name: str, label: str, sets: str | None = None, show: Mapping[str, Any] | None = None
) -> Form:
    button: Form = {"name": name, "kind": "button", "label": label}
    return button | ({"sets": sets} if sets else {}) | ({"show": dict(show)} if show else {})


def _sentence() -> Form:
    return {
        "name": "sentence",
        "kind": "patches",
        "wide": True,
        "label": "What the model reads: a sentence of patches",
        "chooses": "patch",
        "toggles": "occluded",
        "help": (
            "Below each patch: its number in the image, row by row. A click occludes a patch or uncovers it; "
            "arrow keys choose one, and space does the same."
        ),
    }


def _sketch() -> Form:
    return {
        "name": "sketch",
        "kind": "sketch",
        "column": 0,
        "label": "The drawing",
        "sends": "pixels",
        "cell": 34,
        "help": (
            "Draw with mouse or finger. By keyboard: arrow keys move the cursor, with shift they draw; "
            "space draws, Delete erases, 0 to 9 set a pixel's ink."
        ),
    }


def _answer() -> Form:
    return {
        "name": "answer",
        "kind": "table",
        "column": 1,
        "label": "The answer",
        "roomy": True,
    }


def _attention(reader: Reader) -> Form:
    nobody = "from the class token" if reader.has_class_token else "as the mean over all queries"
    return {
        "name": "attention",
        "kind": "image",
        "more": True,
        "column": 0,
        "label": "Attention: where the query looks",
        "chooses": "query",
        "toggles": "occluded",
        "tells": "patch {i}: weight {value}",
        "nothing": f"Seen {nobody}.",
        "help": "A patch's colour is its weight. A click or the arrow keys look from a patch instead.",
    }


def _effect() -> Form:
    return {
        "name": "effect",
        "kind": "image",
        "more": True,
        "column": 1,
        "label": "Effect: what occluding one patch would change",
        "chooses": "patch",
        "toggles": "occluded",
        "tells": "patch {i} occluded: probability {value}",
        "help": (
            "Blue: without this patch the answer loses probability. Orange: it gains. Space occludes the "
            "chosen patch."
        ),
    }


def _read() -> Form:
    return {
        "name": "read",
        "kind": "image",
        "column": 0,
        "label": "The patches where their positions say they are",
        "tells": "place {i}",
        "in_order": True,
        "show": {"shuffled": True, "positions": TRAINED},
    }
