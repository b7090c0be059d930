"""What each head of MiniLM looks at, and what changes without it: one number a head."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from course.system.threads import one_thread
from encoder_core import ablate, load_minilm, record, sentence_embedding

__all__ = ["effect_of_each", "sharpness_and_sink"]


def effect_of_each(texts: Sequence[str]) -> Tensor:
    """How far the texts' vectors turn without each head: 1 less the mean cosine, (layers, H)."""
    model, _ = load_minilm()
    effect = torch.zeros(len(model.layers), model.config.nhead)
    with one_thread():
        whole = sentence_embedding(list(texts))  # (N, D), vectors of length 1
        for layer in range(effect.shape[0]):
            for number in range(effect.shape[1]):
                with ablate(model, {(layer, number)}):
                    turned = sentence_embedding(list(texts))
                effect[layer, number] = 1 - (turned * whole).sum(dim=-1).mean()
    return effect


def sharpness_and_sink(texts: Sequence[str]) -> tuple[Tensor, Tensor]:
    """The largest weight of a row, and the weight on [CLS]; means over queries and texts.

    [CLS]'s own look at itself is left out of the second.

    Returns:
        (layers, H) each.
    """
    model, tokenizer = load_minilm()
    sharpness = torch.zeros(len(model.layers), model.config.nhead)
    on_cls = torch.zeros_like(sharpness)
    for text in texts:
        with one_thread(), torch.no_grad(), record(model) as recording:
            model(tokenizer.batch([text]).ids)
        weights = torch.cat(recording.attention)  # (layers, H, S, S)
        sharpness += weights.amax(dim=-1).mean(dim=-1) / len(texts)
        on_cls += weights[..., 1:, 0].mean(dim=-1) / len(texts)
    return sharpness, on_cls
