"""A decoder alone: one causal encoder that reads the keywords, a separator and the sentence in one row.

The layers are those of the encoder, with the future blocked; there is no memory and no second attention. Five
of them have about as many parameters as two and two of the encoder-decoder. The loss counts the sentence
alone, so that both learn from the same pieces.

Source: Radford et al. 2018, "Improving Language Understanding by Generative Pre-Training", section 3.3
(tasks as one row of tokens with a separator).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course.content.generation.experiments.pairs import (
    BOS,
    EOS,
    PAD,
    Pair,
    batch,
    encode,
    words,
)
from course.content.generation.experiments.training import LONGEST, inputs, score, small_words
from course.datasets.python_docs import corpus
from course.datasets.python_docs.neighbour_vectors import neighbour_vectors
from course.training.first_looks import look_and_copy, look_near
from encoder_core.masks import causal_mask
from encoder_core.models.masked_lm import MaskedLM
from encoder_core.models.text_encoder import TextEncoder
from encoder_core.tied import TiedProjection

__all__ = ["Rows", "build", "collate", "evaluate", "loss", "write"]

LAYERS = 5


class Rows(NamedTuple):
    """A batch: ids `(B, S)`, and the id that follows at each place of the sentence, `PAD` elsewhere."""

    ids: Tensor
    next_ids: Tensor


def build(
    d_model: int = 64, nhead: int = 4, dim_feedforward: int = 128, dropout: float = 0.05
) -> nn.Module:
    """Make a model that starts as the encoder-decoder does: near, from vectors, and copying."""
    size = len(corpus.tokenizer().vocabulary)
    encoder = TextEncoder(
        size, d_model, nhead, LAYERS, dim_feedforward,
        dropout=dropout, positions="relative", padding_idx=PAD,
    )  # fmt: skip
    model = MaskedLM(encoder)
    model.head = TiedProjection(encoder.embedding.token, bias=False)  # type: ignore[assignment]
    look_near(encoder, sides=(0, -1))
    look_and_copy(encoder.encoder.layers[-1].self_attn)  # type: ignore[arg-type]
    with torch.no_grad():
        table = encoder.embedding.token.weight
        table.copy_(neighbour_vectors(corpus.pieces("train"), size, d_model))
        table[PAD] = 0.0
    return model


def collate(chosen: Sequence[Pair]) -> Rows:
    """Join keywords and sentence to one row: `[CLS] keywords [SEP] sentence [SEP]`."""
    sources = [[BOS, *encode(pair.keywords)] for pair in chosen]
    targets = [encode(pair.sentence) for pair in chosen]
    ids = batch([a + b[:-1] for a, b in zip(sources, targets, strict=True)])
    following = [
        [*[PAD] * (len(a) - 1), *b] for a, b in zip(sources, targets, strict=True)
    ]  # at the separator the sentence begins
    return Rows(ids, batch(following))


def loss(model: nn.Module, rows: Rows) -> Tensor:
    """Return the mean cross entropy at the pieces of the sentences."""
    where = rows.next_ids != PAD  # (B, S)
    mask = causal_mask(rows.ids.shape[1])  # (S, S)
    logits = model(rows.ids, mask=mask, where=where)  # (M, V)
    return F.cross_entropy(logits, rows.next_ids[where], small_words())


@torch.no_grad()
def write(model: Any, keywords: Sequence[Sequence[str]]) -> list[list[str]]:
    """Write a sentence for each, greedily; those of equally long keywords together, without padding."""
    rows = [[BOS, *encode(each)] for each in keywords]
    groups = defaultdict(list)
    for index, row in enumerate(rows):
        groups[len(row)].append(index)
    written: list[list[str]] = [[] for _ in rows]
    for length, members in groups.items():
        ids = torch.tensor([rows[index] for index in members])  # (B, S)
        ended = torch.zeros(len(members), dtype=torch.bool)
        while ids.shape[1] < length + LONGEST and not ended.all():
            last = torch.zeros_like(ids, dtype=torch.bool)
            last[:, -1] = True
            logits = model(ids, mask=causal_mask(ids.shape[1]), where=last)  # (B, V)
            chosen = logits.argmax(dim=-1).masked_fill(ended, EOS)
            ended |= chosen == EOS
            ids = torch.cat([ids, chosen[:, None]], dim=1)
        for index, row in zip(members, ids[:, length:].tolist(), strict=True):
            written[index] = words(row[: row.index(EOS)] if EOS in row else row)
    return written


def evaluate(model: nn.Module, split: str = "validation") -> dict[str, float]:
    """Score the sentences written for a split."""
    return score(write(model, inputs(split)), split)
