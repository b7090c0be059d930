"""What a classifier looks at: its logit with each word left out, beside the attention that a word gets."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from encoder_core import load_minilm, record, sentence_embedding

__all__ = ["attention_received", "lost_without", "rank_correlation"]


def lost_without(text: str, head: nn.Module, label: int) -> Tensor:
    """Return how much the logit of class `label` falls when each word is left out, `(words,)`.

    `head` maps MiniLM's vectors `(N, D)` to logits `(N, C)`. The text needs at least two words, separated
    by spaces.
    """
    words = text.split()
    without = [" ".join(words[:place] + words[place + 1 :]) for place in range(len(words))]
    with torch.no_grad():
        found: Tensor = head(sentence_embedding([" ".join(words), *without]))[
            :, label
        ]  # (1 + words,)
    return found[0] - found[1:]


def attention_received(text: str) -> Tensor:
    """Return the share of MiniLM's attention that each word gets, `(words,)`, the sum below 1.

    The mean over all layers, heads and queries; a word has what its tokens have together. The rest is on
    `[CLS]` and `[SEP]`.
    """
    model, tokenizer = load_minilm()
    words = text.split()
    encoding = tokenizer.encode(" ".join(words))
    with torch.no_grad(), record(model) as recording:
        model(torch.tensor([encoding.ids]))
    weights = torch.stack([layer[0] for layer in recording.attention])  # (layers, H, S, S)
    of_tokens = weights.mean(dim=(0, 1, 2))  # (S,): over layers, heads and queries
    starts = torch.tensor([len(" ".join(words[: place + 1])) for place in range(len(words))])
    received = torch.zeros(len(words))
    for share, (start, end) in zip(of_tokens, encoding.offsets, strict=True):
        if end > start:  # not [CLS] or [SEP]
            received[int(torch.searchsorted(starts, start, right=True))] += share
    return received


def rank_correlation(one: Tensor, other: Tensor) -> float:
    """Return Spearman's rank correlation of two rows of numbers without ties."""
    ranks = torch.stack([row.argsort().argsort().double() for row in (one, other)])  # (2, N)
    return float(torch.corrcoef(ranks)[0, 1])
