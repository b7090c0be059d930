"""Controls of a form that many labs have, and the words that go with them."""

from __future__ import annotations

from typing import Any


def sliding(
    name: str, label: str, least: float, most: float, step: float = 1, digits: int = 0
) -> dict[str, Any]:
    """A slider from `least` to `most`, shown with so many decimals."""
    return {
        "name": name,
        "kind": "range",
        "label": label,
        "least": least,
        "most": most,
        "step": step,
        "digits": digits,
    }


def layer_and_head(layer: int, head: int) -> str:
    """Say whose attention is looked at; below 0 is the mean of all.

    >>> layer_and_head(-1, 3), layer_and_head(-1, -1)
    ('mean of all layers, head 3', 'mean of all layers and heads')
    """
    if layer < 0 and head < 0:
        return "mean of all layers and heads"
    layers = "mean of all layers" if layer < 0 else f"layer {layer}"
    heads = "mean of all heads" if head < 0 else f"head {head}"
    return f"{layers}, {heads}"
