"""The shape tracer's controls and panels, declared; the front end draws them."""

from __future__ import annotations

from typing import Any

from course.labs.checkpoints import Checkpoint
from course.labs.shapes.settings import WIDEST

EXAMPLES = (
    ("The bank of the river was green.", "Money in the bank."),
    ("A man is playing the guitar.", "Someone makes music."),
    ("Unbelievable: antidisestablishmentarianism!", "Yes."),
    ("我喜欢学习语言。", "I like learning languages."),
)
FRESH = {"encoder": "fresh"}


def form(own: bool, pretrained: Checkpoint) -> dict[str, Any]:
    """The whole form, as JSON.

    Args:
        pretrained: the pretrained encoder.
        own: whether the learner gave an encoder of their own.
    """
    return {
        "lab": "shapes",
        "title": "Shape tracer",
        "groups": [_texts(), _encoder(own, pretrained), _look()],
        "panels": [_journey(), _steps(), _pieces(), _matrix("before", "What goes in"), _after()],
    }


def _texts() -> dict[str, Any]:
    examples = [["", "choose two"], *([list(pair), " / ".join(pair)] for pair in EXAMPLES)]
    text = {"kind": "text", "longest": 600, "long": True}
    return {
        "label": "A batch of texts",
        "wide": True,
        "more": True,
        "controls": [
            {**text, "name": "text", "label": "Text 1", "main": True},
            {**text, "name": "second", "label": "Text 2", "placeholder": "none: a batch of one"},
            {"name": "example", "kind": "select", "label": "Examples", "choices": examples},
        ],
    }


def _encoder(own: bool, pretrained: Checkpoint) -> dict[str, Any]:
    def number(name: str, label: str, least: int, most: int) -> dict[str, Any]:
        spec = {"name": name, "kind": "number", "label": label, "step": 1, "show": FRESH}
        return {**spec, "least": least, "most": most}

    encoders = [["pretrained", pretrained.called], ["fresh", "fresh (random)"]]
    return {
        "label": "Encoder",
        "more": True,
        "controls": [
            {
                "name": "encoder",
                "kind": "select",
                "label": "Encoder",
                "choices": [["own", "your own"], *encoders] if own else encoders,
                "help": pretrained.about,
            },
            number("d_model", "d_model", 4, WIDEST),
            number("heads", "heads", 1, 16),
            number("dim_feedforward", "dim_feedforward", 1, 4 * WIDEST),
            number("layers", "layers", 1, 6),
            number("seed", "seed", 0, 9999),
            {
                "name": "norm_first",
                "kind": "select",
                "label": "norm",
                "choices": [[False, "after (post-norm)"], [True, "before (pre-norm)"]],
                "show": FRESH,
            },
        ],
    }


def _look() -> dict[str, Any]:
    return {
        "label": "Walk and look",
        "controls": [
            {"name": "back", "kind": "button", "label": "◀ Step back"},
            {"name": "forward", "kind": "button", "label": "Step forward ▶"},
            {"name": "layer", "kind": "select", "label": "Layer"},
            {"name": "head", "kind": "select", "label": "Head", "more": True},
            {"name": "item", "kind": "select", "label": "Text", "more": True},
            {
                "name": "first",
                "more": True,
                "kind": "number",
                "label": "numbers from",
                "least": 0,
                "most": 4095,
                "step": 16,
                "help": "Where a vector is wide, which of its numbers are shown.",
            },
        ],
    }


def _journey() -> dict[str, Any]:
    return {
        "name": "journey",
        "kind": "journey",
        "label": "The encoder, and where the text is",
        "wide": True,
        "chooses": "step",
        "turns": "layer",
        "help": (
            "Each box is a station with the shape of what leaves it. ← and →, or a click, go from "
            "station to station, ↑ and ↓ from step to step, Page Up and Page Down from layer to "
            "layer. Play goes through all steps, until a key or a click."
        ),
    }


def _steps() -> dict[str, Any]:
    return {
        "name": "steps",
        "kind": "steps",
        "column": 0,
        "label": "The way of a text through the encoder",
        "chooses": "step",
        "help": "Arrow keys or a click go from step to step; each with the shape of its result.",
    }


def _pieces() -> dict[str, Any]:
    return {
        "name": "pieces",
        "kind": "tokens",
        "column": 1,
        "label": "The text in pieces",
        "number": "id",
        "digits": 0,
        "tells": "{i}: “{piece}” {value}",
        "chooses": "row",
        "show": {"seen": "words"},
    }


def _matrix(name: str, label: str) -> dict[str, Any]:
    return {
        "name": name,
        "kind": "matrix",
        "column": 1,
        "label": label,
        "corner": "row ↓ column →",
        "tells": "“{row}”, column {column}: {value}",
        "row_height": 13,
        "widest": 20,
        "legend": True,
        "chooses": ["row", "column"],
        "show": {"seen": ["numbers", "both"] if name == "after" else "both"},
    }


def _after() -> dict[str, Any]:
    help_ = (
        "Blue is negative, orange positive, grey hatched is blocked. Arrow keys choose a number."
    )
    return {**_matrix("after", "What comes out"), "help": help_}
