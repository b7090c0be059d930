"""What a training asks of the parts that a learner may have written."""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

from encoder_core.models.text_encoder import TextEncoder

__all__ = ["fitting_positions", "whose"]


def whose(part: object) -> str:
    """Tell whether a part is the learner's own or the reference that stands in for it."""
    return "the reference's" if getattr(part, "__course_reference__", False) else "yours"


def fitting_positions(layer: Callable[..., nn.Module] | None) -> str:
    """Choose a trainable bias of the scores, where a layer takes a mask of numbers; else sines."""
    if layer is None:
        return "relative"
    try:
        TextEncoder(8, 8, 2, 1, 8, positions="relative", layer=layer)
    except ValueError:
        return "sinusoidal"
    return "relative"
