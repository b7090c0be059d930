"""The attention lab's controls and panels, declared; the front end draws them."""

from __future__ import annotations

from typing import Any

from course.labs.attention.settings import COLDEST, HOTTEST, devices
from course.labs.checkpoints import Checkpoint
from course.labs.colours import SCALES

EXAMPLES: tuple[tuple[str, str], ...] = (
    ("Anna thanked Peter because he had helped her brother.", ""),
    ("The animal didn't cross the street because it was too tired.", ""),
    ("The bank of the river is not the bank that lends money.", ""),
    ("Yes, no, maybe, but, well, never: so he spoke, and left.", ""),
    ("The keys that lay beside the cabinet were old.", ""),
    ("A man is playing the guitar.", "Someone makes music."),
    ("我喜欢学习语言。", ""),
)

MASKS = [
    ["none", "none"],
    ["causal", "causal"],
    ["padding", "padding"],
    ["painted", "painted"],
]

FRESH = {"encoder": "fresh"}


def form(pretrained: Checkpoint) -> dict[str, Any]:
    """The whole form, as JSON, with the name of the pretrained encoder."""
    return {
        "lab": "attention",
        "title": "Attention lab",
        "scales": SCALES,
        "groups": [_text(), _encoder(pretrained), _attention(), _look()],
        "panels": _panels(),
    }


def _text() -> dict[str, Any]:
    examples = [
        ["", "choose one"],
        *([list(pair), " / ".join(filter(None, pair))] for pair in EXAMPLES),
    ]
    return {
        "label": "Text",
        "wide": True,
        "more": True,
        "controls": [
            {"name": "text", "kind": "text", "label": "Sentence", "longest": 2000, "main": True},
            {
                "name": "pair",
                "kind": "text",
                "label": "Second sentence",
                "placeholder": "none",
                "longest": 2000,
            },
            {"name": "example", "kind": "select", "label": "Examples", "choices": examples},
            _number("padding", "[PAD] tokens", 0, 32),
        ],
    }


def _encoder(pretrained: Checkpoint) -> dict[str, Any]:
    controls: list[dict[str, Any]] = [
        {
            "name": "encoder",
            "kind": "select",
            "label": "Encoder",
            "choices": [["pretrained", pretrained.called], ["fresh", "fresh (random)"]],
            "help": pretrained.about,
        },
        _number("heads", "heads", 1, 16, show=FRESH),
        _number("d_model", "d_model", 4, 512, show=FRESH),
        _number("layers", "layers", 1, 6, show=FRESH),
        _number("seed", "seed", 0, 9999, show=FRESH),
        {
            "name": "device",
            "kind": "select",
            "label": "Device",
            "choices": [[device, device] for device in devices()],
        },
    ]
    return {"label": "Encoder", "more": True, "controls": controls}


def _attention() -> dict[str, Any]:
    temperature = {
        "name": "temperature",
        "kind": "range",
        "label": "Temperature",
        "least": COLDEST,
        "most": HOTTEST,
        "step": 0.05,
        "help": "The scores are divided by it: below 1 sharper, above 1 flatter.",
    }
    return {
        "label": "Attention, in every layer and head",
        "controls": [
            temperature,
            {"name": "scaled", "kind": "check", "label": "divide by √dₖ", "more": True},
            {"name": "mask", "kind": "select", "label": "Mask", "choices": MASKS, "more": True},
            {
                "name": "clear_mask",
                "kind": "button",
                "label": "Unblock all",
                "more": True,
                "show": {"mask": "painted"},
            },
        ],
    }


def _look() -> dict[str, Any]:
    names = ("layer", "head", "query", "key")
    controls: list[dict[str, Any]] = [
        {"name": name, "kind": "select", "label": name.capitalize()} for name in names
    ]
    off = {"name": "head_off", "kind": "check", "label": "switch this head off", "more": True}
    on = {"name": "all_on", "kind": "button", "label": "All heads on", "show": {"some_off": True}}
    controls += [off, on]
    controls.append(
        {
            "name": "flow",
            "kind": "chips",
            "label": "Heads drawn as lines",
            "more": True,
            "item": "head",
            "nearest": "this head",
        }
    )
    controls.append(
        {
            "name": "shares",
            "kind": "check",
            "label": "colour lines by what the value adds",
            "more": True,
            "help": (
                "Of each weighted value the part along the head's output, as a share of the "
                "output's length. The shares of a row add up to 1."
            ),
        }
    )
    return {"label": "Look at", "controls": controls}


def _number(
    name: str, label: str, least: int, most: int, show: dict[str, Any] | None = None
) -> dict[str, Any]:
    return {
        "name": name,
        "kind": "number",
        "label": label,
        "least": least,
        "most": most,
        "step": 1,
        "show": show or {},
    }


def _panels() -> list[dict[str, Any]]:
    return [_heads(), _weights(), _flow(), _row(), _values(), _change()]


def _heads() -> dict[str, Any]:
    return {
        "name": "heads",
        "kind": "grid",
        "column": 0,
        "label": "Every layer (down) and head (across)",
        "row": "layer",
        "item": "head",
        "number": "mean entropy of the rows, in nats",
        "tells": "layer {i}, head {j}: mean entropy {value} nats",
        "chooses": ["layer", "head"],
        "toggles": "head_off",
        "help": "Arrow keys or a click choose a head; space switches it off and on.",
    }


def _weights() -> dict[str, Any]:
    return {
        "name": "weights",
        "kind": "matrix",
        "column": 1,
        "label": "The chosen head: who looks at whom",
        "corner": "query ↓ key →",
        "tells": "query {i} “{row}”, key {j} “{column}”: {value}",
        "digits": 2,
        "legend": True,
        "chooses": ["query", "key"],
        "paints": {"name": "painted", "when": ["mask", "painted"]},
        "help": (
            "Rows are queries, columns keys. Arrow keys or a click choose; space blocks a cell "
            "or frees it, shift and space its whole column; with the painted mask, drag."
        ),
    }


def _flow() -> dict[str, Any]:
    return {
        "name": "flow",
        "kind": "flow",
        "column": 0,
        "label": "The flow: from each query (left) to the keys it looks at (right)",
        "chooses": ["query", "key"],
        "help": (
            "The heavier the weight, the thicker and more opaque its line; a blocked key has none. "
            "Up and down choose the query, left and right the key; point at a word to see its "
            "lines alone. What a value v adds to the head's output o is w (v · o) / |o|²: the part "
            "of w v along o, as a share of o's length. A query's shares add up to 1; a negative "
            "one (dashed) points against o."
        ),
    }


def _row() -> dict[str, Any]:
    return {
        "name": "row",
        "more": True,
        "kind": "table",
        "column": 0,
        "label": "The chosen query's row: from products to the weighted sum",
        "chooses": "key",
    }


def _values() -> dict[str, Any]:
    return {
        "name": "values",
        "more": True,
        "kind": "matrix",
        "column": 1,
        "label": "The values, and their sum weighted by the chosen query's row",
        "corner": "value ↓ number →",
        "tells": "“{row}”, number {j}: {value}",
        "digits": 1,
        "legend": True,
        "row_height": 14,
        "sum": True,
        "chooses": ["value_row", "dimension"],
    }


def _change() -> dict[str, Any]:
    return {
        "name": "change",
        "more": True,
        "kind": "table",
        "column": 0,
        "label": "What switching off changes in each token's output vector",
        "chooses": "query",
        "show": {"some_off": True},
    }
