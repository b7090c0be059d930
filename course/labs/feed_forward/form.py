"""The feed-forward lab's controls and panels, declared; the front end draws them."""

from __future__ import annotations

from typing import Any

from course.labs.checkpoints import MINILM, Checkpoint, checkpoint
from course.labs.controls import sliding
from course.labs.feed_forward.fitting import CURVES, STEPS
from course.labs.feed_forward.settings import LONGEST, WIDEST, Settings

EXAMPLES = (
    Settings().text,
    "She never said that she would not come.",
    "Two errors, both fatal: first the brakes failed, then the lights.",
    "I cannot find it anywhere; perhaps it doesn't exist.",
)
_ACTIVATIONS = [
    ["relu", "ReLU"],
    ["gelu", "GELU"],
    ["silu", "SiLU"],
    ["tanh", "tanh"],
    ["none", "none (linear)"],
]
FOUND = (
    ["3 318", "layer 3, 318: not, no, cannot"],
    ["1 1184", "layer 1, 1184: error, fail"],
    ["4 1097", "layer 4, 1097: two, both, second"],
    ["2 1042", "layer 2, 1042: closing brackets"],
)


def form(source: str = MINILM) -> dict[str, Any]:
    """The whole form, as JSON, for the neurons of the encoder at a source."""
    return {
        "lab": "feed-forward",
        "title": "Feed-forward lab",
        "groups": [_network(), _sentence(checkpoint(source), source == MINILM)],
        "panels": [_curve(), _loss(), _tokens(), _neurons(), _words()],
    }


def _network() -> dict[str, Any]:
    curves = [[name, name] for name in CURVES]
    return {
        "label": "A network learns a curve",
        "controls": [
            {"name": "curve", "kind": "select", "label": "Curve", "choices": curves},
            sliding("width", "Neurons", 1, WIDEST),
            {
                "name": "activation",
                "kind": "select",
                "label": "Activation",
                "choices": _ACTIVATIONS,
            },
            sliding("step", "Step", 0, STEPS),
            {
                "name": "seed",
                "more": True,
                "kind": "number",
                "label": "seed",
                "least": 0,
                "most": 9999,
                "step": 1,
            },
        ],
    }


def _sentence(one: Checkpoint, is_minilm: bool) -> dict[str, Any]:
    examples = [["", "choose one"], *([text, text] for text in EXAMPLES)]
    found = {"name": "found", "kind": "select", "label": "Some to look at"}
    known = [["", "choose one"], *FOUND]
    return {
        "label": f"Neurons of {one.short}",
        "wide": True,
        "controls": [
            {"name": "text", "kind": "text", "label": "Sentence", "longest": LONGEST, "main": True},
            {
                "name": "example",
                "kind": "select",
                "label": "Examples",
                "choices": examples,
                "more": True,
            },
            {
                "name": "layer",
                "more": True,
                "kind": "select",
                "label": "Layer",
                "choices": [[number, str(number)] for number in range(len(one.model.layers))],
            },
            {
                "name": "neuron",
                "more": True,
                "kind": "number",
                "label": "Neuron",
                "least": 0,
                "most": one.model.config.dim_feedforward - 1,
                "step": 1,
            },
            *([{**found, "choices": known}] if is_minilm else []),
        ],
    }


def _curve() -> dict[str, Any]:
    return {
        "name": "curve",
        "kind": "plot",
        "column": 0,
        "label": "The curve, the network, and what each neuron adds",
        "x": {"label": "x", "least": -1, "most": 1},
        "y": {"label": "FFN(x)", "least": -1.8, "most": 1.8},
        "height": 240,
        "legend": True,
        "tells": "{series}: x = {x}, y = {y}",
        "help": "Grey: each neuron's part. The points on the line are the places where one begins.",
    }


def _loss() -> dict[str, Any]:
    return {
        "name": "loss",
        "more": True,
        "kind": "plot",
        "column": 0,
        "label": "How far it is from the curve, step by step",
        "x": {"label": "step", "whole": True},
        "y": {"label": "mean squared error", "log": True},
        "height": 130,
        "tells": "step {x}: {y}",
        "chooses": [None, "step"],
        "help": "A point chooses its step.",
    }


def _tokens() -> dict[str, Any]:
    return {
        "name": "tokens",
        "kind": "tokens",
        "column": 1,
        "label": "How strongly each token excites the chosen neuron",
        "tells": "“{piece}”: {value}",
        "number": "answer",
        "digits": 1,
        "chooses": "token",
        "help": "Arrow keys or a click choose a token.",
    }


def _neurons() -> dict[str, Any]:
    return {
        "name": "neurons",
        "more": True,
        "kind": "tokens",
        "column": 1,
        "label": "The neurons that the chosen token excites most",
        "tells": "neuron {piece}: {value}",
        "number": "answer",
        "digits": 1,
        "chooses": "nth",
        "help": "Arrow keys or a click choose a neuron.",
    }


def _words() -> dict[str, Any]:
    return {
        "name": "words",
        "more": True,
        "kind": "tokens",
        "column": 1,
        "label": "The places in real text that excite the chosen neuron most",
        "tells": "“{piece}”: {value}",
        "number": "answer",
        "digits": 1,
    }
