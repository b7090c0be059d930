"""The stack lab's controls and panels, declared; the front end draws them."""

from __future__ import annotations

from typing import Any

from course.labs.checkpoints import Checkpoint
from course.labs.controls import sliding
from course.labs.stack.settings import DEEPEST, TEXT, WIDEST

EXAMPLES = (
    TEXT,
    "The bank of the river is not the bank that lends money.",
    "buffalo buffalo buffalo buffalo buffalo",
    "Yes, no, maybe, but, well, never: so he spoke, and left.",
    "我喜欢学习语言。",
)
INITIALISATIONS = [
    ["xavier", "Xavier (Glorot 2010)"],
    ["normal", "N(0, 0.02²) (BERT)"],
    ["large", "N(0, 1) (torch.randn)"],
]


def form(pretrained: Checkpoint) -> dict[str, Any]:
    """The whole form, as JSON, with the name of the pretrained encoder."""
    return {
        "lab": "stack",
        "title": "Stack lab",
        "groups": [_text(), _parts(), _sizes(), _beside(pretrained)],
        "panels": [_gradients(), _similarity(), _norms(), _cosines()],
    }


def _text() -> dict[str, Any]:
    examples = [["", "choose one"], *([text, text] for text in EXAMPLES)]
    return {
        "label": "Text",
        "wide": True,
        "more": True,
        "controls": [
            {"name": "text", "kind": "text", "label": "Sentence", "longest": 1000, "main": True},
            {"name": "example", "kind": "select", "label": "Examples", "choices": examples},
        ],
    }


def _parts() -> dict[str, Any]:
    return {
        "label": "A stack that nobody has trained",
        "controls": [
            sliding("depth", "Layers", 1, DEEPEST),
            {
                "name": "norm_first",
                "kind": "select",
                "label": "Norm stands",
                "choices": [
                    [False, "after (post-norm)"],
                    [True, "before (pre-norm)"],
                ],
                "show": {"layer_norm": True},
            },
            {"name": "layer_norm", "kind": "check", "label": "layer norms"},
            {"name": "residual", "kind": "check", "label": "residual connections"},
            {
                "name": "initialisation",
                "more": True,
                "kind": "select",
                "label": "First weights",
                "choices": INITIALISATIONS,
            },
            {
                "name": "dropout",
                "more": True,
                "kind": "range",
                "label": "Dropout",
                "least": 0,
                "most": 0.9,
                "step": 0.05,
                "help": "As in training: each number is dropped with this chance.",
            },
        ],
    }


def _sizes() -> dict[str, Any]:
    def number(name: str, label: str, least: int, most: int) -> dict[str, Any]:
        spec = {"name": name, "kind": "number", "label": label, "step": 1}
        return {**spec, "least": least, "most": most}

    return {
        "label": "Sizes",
        "more": True,
        "controls": [
            number("d_model", "d_model", 4, WIDEST),
            number("heads", "heads", 1, 16),
            number("seed", "seed", 0, 9999),
        ],
    }


def _beside(pretrained: Checkpoint) -> dict[str, Any]:
    return {
        "label": "Compare with",
        "more": True,
        "controls": [
            {
                "name": "minilm",
                "kind": "check",
                "label": f"the pretrained {pretrained.short}",
                "help": pretrained.about,
            },
            {
                "name": "keep",
                "kind": "button",
                "label": "Keep these lines",
                "help": "What is drawn now stays, and what you set next is drawn beside it.",
            },
            {
                "name": "drop",
                "kind": "button",
                "label": "Remove the kept",
                "show": {"has_kept": True},
            },
        ],
    }


def _gradients() -> dict[str, Any]:
    return {
        "name": "gradients",
        "kind": "plot",
        "column": 0,
        "label": "Gradients: the norm of the loss's gradient in each layer's weights",
        "x": {"label": "layer", "whole": True},
        "y": {"label": "norm of the gradient", "log": True},
        "height": 170,
        "legend": True,
        "tells": "{series}, layer {x}: {y}",
        "chooses": ["encoder", "gradient_of"],
        "help": (
            "Level is good: every layer learns at one pace. A line that rises or falls a "
            "thousandfold leaves some layers still while others jump."
        ),
    }


def _similarity() -> dict[str, Any]:
    return {
        "name": "similarity",
        "kind": "plot",
        "column": 0,
        "label": "Token similarity: the mean cosine of two different tokens",
        "x": {"label": "after layer (0: the input)", "whole": True},
        "y": {"label": "cosine", "least": -0.2, "most": 1},
        "height": 170,
        "tells": "{series}, after layer {x}: {y}",
        "chooses": ["encoder", "layer_shown"],
        "help": "At 1 all tokens are alike, and no later layer can tell them apart (over-smoothing).",
    }


def _norms() -> dict[str, Any]:
    return {
        "name": "norms",
        "kind": "plot",
        "column": 1,
        "label": "Hidden states: the mean length of a token's vector",
        "x": {"label": "after layer (0: the input)", "whole": True},
        "y": {"label": "length", "log": True},
        "height": 170,
        "tells": "{series}, after layer {x}: {y}",
        "chooses": ["encoder", "layer_shown"],
        "help": "A point of any line chooses its layer, whose tokens are compared under “More”.",
    }


def _cosines() -> dict[str, Any]:
    return {
        "name": "cosines",
        "more": True,
        "kind": "matrix",
        "column": 1,
        "label": "The chosen layer: how alike its tokens are",
        "corner": "token ↓ token →",
        "tells": "“{row}” (position {i}) and “{column}” (position {j}): cosine {value}",
        "digits": 1,
        "widest": 26,
        "legend": True,
        "chooses": ["row", "column"],
    }
