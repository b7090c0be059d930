"""The surgery table's arrays as panels, words and a still picture."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np

from course.labs.drawing import PanelData
from course.labs.packing import pack, pack_floats, signed_codes, weight_codes
from course.labs.pieces import Piece, tokens_panel
from course.labs.quoting import quoted
from course.labs.still_plots import Box, document, pieces, words
from course.labs.surgery.compute import Effects, Floats, Selection, Settings

SHOWN_NEURONS = 10
SMALLEST = 0.01  # the end of a scale of changes, at least: noise should look like noise


def panels(effects: Effects, asked: Settings, chosen: Selection, key: Hashable) -> list[PanelData]:
    """Every panel as it should look now."""
    limit = limit_of(effects)
    changes, seen = sentence(effects, effects.by_token), sentence(effects, effects.attention)
    at = [chosen.layer, chosen.head]
    strongest = float(effects.attention.max()) or 1.0
    return [
        tokens_panel("tokens", changes, key, effects.place, effects.by_token, "signed", limit),
        tokens_panel("attention", seen, key, None, effects.attention, "weights", strongest),
        _matrix("heads", effects.by_head, at, key, limit),
        _matrix("sharpness", effects.sharpness, at, key, None),
        _parts(effects, key),
        _neurons(effects, asked, key),
    ]


def limit_of(effects: Effects) -> float:
    """The end of the colour scale: the largest change of a token or a head."""
    both = np.concatenate([effects.by_token, effects.by_head.ravel()])
    return max(float(np.nanmax(np.abs(both), initial=0.0)), SMALLEST)


def sentence(effects: Effects, numbers: Floats) -> list[Piece]:
    """The tokens with a number below each."""
    return [
        Piece(
            token,
            float(numbers[i]),
            special=effects.fixed[i] and i != effects.place,
            unknown=i == effects.place,
            continues=token.startswith("##"),
        )
        for i, token in enumerate(effects.tokens)
    ]


def _matrix(
    name: str, numbers: Floats, chosen: list[int], key: Hashable, limit: float | None
) -> PanelData:
    layers, heads = numbers.shape
    meta: dict[str, Any] = {
        "row_labels": [str(i) for i in range(layers)],
        "column_labels": [str(j) for j in range(heads)],
        "bits": 16,
        "scale": "weights" if limit is None else "signed",
        "limit": 1.0 if limit is None else limit,
        "chosen": chosen,
    }

    def data() -> dict[str, bytes]:
        codes = (
            weight_codes(numbers, None, 16) if limit is None else signed_codes(numbers, limit, 16)
        )
        return {"cells": pack(codes, 16)}

    return PanelData(name, meta, key, data)


def _parts(effects: Effects, key: Hashable) -> PanelData:
    meta = {
        "row_labels": [f"layer {i}" for i in range(len(effects.by_part))],
        "foot_labels": [],
        "columns": [
            {"label": "all heads", "digits": 2},
            {"label": "feed-forward network", "digits": 2},
        ],
    }
    return PanelData("parts", meta, key, lambda: {"numbers": pack_floats(effects.by_part)})


def _neurons(effects: Effects, asked: Settings, key: Hashable) -> PanelData:
    shown = effects.by_neuron[:SHOWN_NEURONS]
    numbers = np.array([[change] for _, change in shown], np.float32)
    meta = {
        "row_labels": [f"neuron {neuron}" for neuron, _ in shown],
        "foot_labels": [],
        "columns": [{"label": "change", "digits": 3}],
        "caption": f"Layer {asked.neurons_of}: neurons cut out one by one, those with the largest change",
    }
    return PanelData("neurons", meta, key, lambda: {"numbers": pack_floats(numbers)})


def summary(effects: Effects, asked: Settings, chosen: Selection) -> str:
    """The picture in words."""
    change = float(effects.by_head[chosen.layer, chosen.head])
    lines = [
        f"The model gives {quoted(effects.answer)} a probability of {effects.intact:.2f}.",
        _off(effects, asked),
        f"Without head {chosen.head} of layer {chosen.layer} it changes by {change:+.2f}.",
        _most(effects),
        _agreement(effects),
    ]
    return " ".join(filter(None, lines))


def _off(effects: Effects, asked: Settings) -> str:
    if not asked.off:
        return ""
    count = len(asked.off)
    heads = "1 head" if count == 1 else f"{count} heads"
    return f"With {heads} off it is {effects.now:.2f}, where the changes start from."


def _most(effects: Effects) -> str:
    finite = np.isfinite(effects.by_token)
    layer, head = np.unravel_index(np.abs(effects.by_head).argmax(), effects.by_head.shape)
    told = f"The head that matters most is head {head} of layer {layer}"
    told += f" ({effects.by_head[layer, head]:+.2f})"
    if not finite.any():
        return f"{told}."
    most = int(np.where(finite, np.abs(effects.by_token), -1).argmax())
    looked = int(np.where(finite, effects.attention, -1).argmax())
    return (
        f"{told}, the token {quoted(effects.tokens[most])} ({effects.by_token[most]:+.2f}); attention looks "
        f"most at {quoted(effects.tokens[looked])}."
    )


def _agreement(effects: Effects) -> str:
    tokens, heads = effects.agreement()
    told = [
        f"{number:.2f} over {what}"
        for number, what in ((tokens, "the tokens"), (heads, "the heads"))
        if np.isfinite(number)
    ]
    if not told:
        return ""
    return f"Rank correlation of the size of the change with attention: {', '.join(told)}."


def still(effects: Effects, label: str) -> str:
    """The two sentences and the two tables of heads, as an SVG."""
    text, height = pieces(Box(10, 34, 800, 0), sentence(effects, effects.by_token))
    top = 34 + height + 30
    seen, more = pieces(Box(10, top + 14, 800, 0), sentence(effects, effects.attention))
    below = top + 14 + more + 30
    asks = "all tokens" if effects.place is None else "the question"
    parts = [
        words(10, 20, "Change of the answer's probability when a token is blanked", bold=True),
        text,
        words(10, top, f"Mean attention weight from {asks}", bold=True),
        seen,
        *_numbers(effects.by_head, 10, below, "Change with each head cut out"),
        *_numbers(effects.sharpness, 420, below, "Largest weight of each head"),
    ]
    return document(820, below + 34 + 18 * len(effects.by_head), label, parts)


def _numbers(numbers: Floats, x: float, y: float, title: str) -> Sequence[str]:
    parts = [words(x, y, title, bold=True)]
    for i, row in enumerate(numbers[:, :8]):  # as many as a line has room for
        parts.append(words(x, y + 20 + 18 * i, f"layer {i}"))
        for j, number in enumerate(row):
            parts.append(words(x + 92 + 42 * j, y + 20 + 18 * i, f"{number:.2f}", "end"))
    return parts
