"""What the feed-forward lab's pictures show, in words."""

from __future__ import annotations

import numpy as np

from course.labs.feed_forward.compute import Shown
from course.labs.feed_forward.neurons import Excitement
from course.labs.feed_forward.settings import Selection, Settings
from course.labs.quoting import quoted

_NAMES = {"relu": "ReLU", "gelu": "GELU", "silu": "SiLU", "tanh": "tanh", "none": "no activation"}


def title(asked: Settings, whose: str | None) -> str:
    """The small network in a sentence."""
    neurons = "1 neuron" if asked.width == 1 else f"{asked.width} neurons"
    by = f", drawn with {whose}" if whose else ""
    return f"{neurons} with {_NAMES[asked.activation]} learn “{asked.curve}”{by}."


def summary(shown: Shown, asked: Settings, chosen: Selection, words_of: Excitement) -> str:
    """What there is to see, in a few sentences."""
    losses = shown.fit.losses
    sentences = [
        f"At step {asked.step} the mean squared error is {losses[asked.step]:.2g}; it began at "
        f"{losses[0]:.2g}."
    ]
    if asked.activation == "none":
        sentences.append("Without an activation the network is a straight line, however wide.")
    elif asked.activation == "relu":
        kinks = int(np.isfinite(shown.kinks).sum())
        sentences.append(f"The line has {kinks} {'kink' if kinks == 1 else 'kinks'} here.")
    token = shown.reading.tokens[chosen.token]
    answer = float(shown.reading.answers[chosen.layer][chosen.token, chosen.neuron])
    with_sign = f"{answer:.2f}".replace("-", "−")
    found = dict.fromkeys(word for word, _ in words_of.strongest(chosen.layer, chosen.neuron, 10))
    sentences.append(
        f"Neuron {chosen.neuron} of layer {chosen.layer} answers to {quoted(token)} with {with_sign}; in "
        f"real text it answers most to {', '.join(map(quoted, found))}."
    )
    return " ".join(sentences)


def explain_unused(asked: Settings, whose: str | None) -> str:
    """Why the learner's own function does not draw this picture; empty where it does."""
    if whose is None or asked.activation == "relu":
        return ""
    return (
        f"{whose[0].upper()}{whose[1:]} has a ReLU; with {_NAMES[asked.activation]} the line is this "
        "course's own."
    )
