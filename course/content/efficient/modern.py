"""BERT-base and ModernBERT-base side by side, counted and measured."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from course.system import measure
from encoder_core import (
    BertConfig,
    ModernBertConfig,
    MultiheadAttention,
    layer_costs,
)

__all__ = ["Size", "bert_base", "modernbert_base", "window_seconds"]


@dataclass(frozen=True)
class Size:
    """What one text costs.

    Attributes:
        parameters: of all layers, without embeddings.
        billions: operations in products, in billions, for one text.
    """

    layers: int
    parameters: int
    billions: float


def bert_base(length: int) -> Size:
    """Count a text of `length` tokens in the layers of BERT-base."""
    config = BertConfig(vocab_size=30522)
    costs = layer_costs(1, length, config.d_model, config.nhead, config.dim_feedforward)
    count = config.num_layers
    return Size(
        count,
        count * sum(cost.parameters for cost in costs),
        count * sum(cost.flops for cost in costs) / 1e9,
    )


def modernbert_base(length: int, *, windows: bool = True) -> Size:
    """Count a text in the layers of ModernBERT-base; without windows every layer sees all of the text."""
    config = ModernBertConfig()
    d, f, count = config.d_model, config.dim_feedforward, len(config.windows)
    weights = 4 * d * d + 3 * d * f  # projections; gate, up and down
    seen = [
        length if window is None or not windows else min(length, 2 * window + 1)
        for window in config.windows
    ]
    products = sum(2 * weights * length + 2 * 2 * length * keys * d for keys in seen)
    norms = (2 * count - 1) * d  # the first layer has one
    return Size(count, count * weights + norms, products / 1e9)


def window_seconds(length: int, window: int = 64) -> tuple[float, float]:
    """The seconds of MiniLM's attention over a text: to all of it, and to `window` tokens on each side."""
    x = torch.randn(1, length, 384)
    everywhere = MultiheadAttention(384, 12).eval()
    nearby = MultiheadAttention(384, 12, window=window).eval()
    nearby.load_state_dict(everywhere.state_dict())
    first, second = (
        measure.seconds(lambda each=each: each(x, x, x, need_weights=False))
        for each in (everywhere, nearby)
    )
    return first, second
