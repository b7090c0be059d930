"""The cost lab's controls and panels, declared; the front end draws them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from course.labs.cost.settings import KINDS, MOST_HEADS, WIDEST

_PRESETS = [
    ["", "own sizes"],
    ["toy", "this course's toy"],
    ["minilm", "MiniLM"],
    ["bert-base", "BERT-base"],
    ["bert-large", "BERT-large"],
    ["modernbert-base", "ModernBERT-base"],
]


def form(devices: Sequence[str]) -> dict[str, Any]:
    """The whole form, as JSON, for a machine with these devices."""
    return {
        "lab": "cost",
        "title": "Cost lab",
        "groups": [_what(), _how(devices), _sizes()],
        "panels": [_measure(), _parts(), _memory(), _curve(), _roofline()],
    }


def _number(name: str, label: str, most: int, least: int = 1) -> dict[str, Any]:
    spec = {"name": name, "kind": "number", "label": label, "step": 1}
    return {**spec, "least": least, "most": most}


def _what() -> dict[str, Any]:
    return {
        "label": "What is computed",
        "controls": [
            {
                **_number("length", "Length, in tokens", 65_536),
                "main": True,
                "help": "Arrow keys double and halve it; any number can be typed.",
            },
            {"name": "preset", "kind": "select", "label": "Model", "choices": _PRESETS},
            _number("batch", "Texts in a batch", 4096),
            {
                "name": "training",
                "kind": "select",
                "label": "Pass",
                "choices": [[False, "inference: forward"], [True, "training: and backward"]],
            },
        ],
    }


def _how(devices: Sequence[str]) -> dict[str, Any]:
    precisions = ["float32", "bfloat16", *(["float16"] if "cuda" in devices else [])]
    device = {
        "name": "device",
        "kind": "select",
        "label": "Device",
        "choices": [[name, name.upper()] for name in devices],
    }
    return {
        "label": "How",
        "controls": [
            {
                "name": "attention",
                "kind": "select",
                "label": "Attention",
                "choices": [[kind, told] for kind, told in KINDS.items()],
            },
            {
                "name": "precision",
                "kind": "select",
                "label": "Precision",
                "choices": [[name, name] for name in precisions],
            },
            *([device] if len(devices) > 1 else []),
        ],
    }


def _sizes() -> dict[str, Any]:
    return {
        "label": "Sizes",
        "more": True,
        "controls": [
            _number("d_model", "d_model", WIDEST, least=4),
            _number("heads", "heads", MOST_HEADS),
            _number("dim_feedforward", "dim_feedforward", 65_536),
            _number("layers", "layers", 128),
            {"name": "long", "kind": "button", "label": "One text of 8,192 tokens"},
        ],
    }


def _measure() -> dict[str, Any]:
    return {
        "name": "measure",
        "kind": "stage",
        "wide": True,
        "label": "Predicted and measured",
        "drives": "The measurement",
        "counts": "how far it is",
    }


def _parts() -> dict[str, Any]:
    return {
        "name": "parts",
        "kind": "table",
        "column": 0,
        "label": "One layer, part by part",
        "wide_labels": True,
        "ranked": True,
        "chooses": "part",
        "help": (
            "A part takes as long as its operations at the peak rate, or as its bytes at the memory's rate, "
            "whichever is longer. Where “move” is longer than “compute” it waits for memory."
        ),
    }


def _memory() -> dict[str, Any]:
    return {
        "name": "memory",
        "more": True,
        "kind": "table",
        "column": 0,
        "label": "Memory of all layers",
        "wide_labels": True,
        "ranked": True,
        "help": "Without embeddings, and without what a library sets aside for itself.",
    }


def _curve() -> dict[str, Any]:
    return {
        "name": "curve",
        "kind": "plot",
        "column": 1,
        "label": "Time of all layers, by length",
        "x": {"label": "tokens", "log": True},
        "y": {"label": "seconds", "log": True},
        "height": 210,
        "tells": "{series}, {label} tokens: {y} s",
        "sends": "length",
        "help": "A point chooses its length. The line marks where attention to all pairs takes over.",
    }


def _roofline() -> dict[str, Any]:
    return {
        "name": "roofline",
        "more": True,
        "kind": "plot",
        "column": 1,
        "label": "Roofline: what limits each part",
        "x": {"label": "operations per byte", "log": True},
        "y": {"label": "GFLOP/s", "log": True},
        "height": 200,
        "tells": "{label}: {x} operations per byte, at most {y} GFLOP/s",
        "sends": "at_part",
        "help": (
            "Under the slope memory is the limit, under the level the processor. Predicted parts lie on the "
            "roof; what was measured lies below it."
        ),
    }
