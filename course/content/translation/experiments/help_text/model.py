"""The encoder-decoder that translates help texts, and what lets it start quickly.

As for the phrases, the heads start with a look at what is near and the last look at the memory copies.
Beside that:

- A piece's first vector is near those of the pieces that translate it (`first_vectors`), and the scores
  start with how often a piece is written.
- Scores are computed for the pieces that Chinese texts are written with; the others stand last in the
  table, which is one for both languages, so that a name is copied.
- The source may be several texts, each with `[SEP]` at its end: the English one, and those of similar
  pairs. A vector for each place in this list tells them apart.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course.content.translation.experiments.help_text import first_vectors
from course.content.translation.experiments.help_text.tokens import EOS, PAD, pieces, written
from course.content.translation.experiments.model import (
    OwnCrossAttention,
    look_and_copy,
    look_near,
)
from encoder_core.encoder import TransformerEncoderLayer
from encoder_core.models.encoder_decoder import EncoderDecoder

__all__ = ["HelpTranslator", "build"]

_TEXTS = 5  # in one source, at most
_UNSEEN = 0.3  # length of the first vector of a piece of which nothing is counted


class HelpTranslator(EncoderDecoder):
    """An encoder-decoder whose source is one text or several, and which scores some pieces alone."""

    def __init__(self, *arguments: Any, rows: int, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.which = nn.Embedding(_TEXTS, self.embedding.embedding_dim)
        nn.init.normal_(self.which.weight, std=0.5)
        self.project: Any = FirstRows(self.embedding, rows)

    def encode(self, source: Tensor) -> tuple[Tensor, Tensor]:
        """Encode source ids `(B, S)`; return the memory `(B, S, D)` and its padding mask `(B, S)`."""
        padding_mask = source == PAD  # (B, S)
        ends = (source == EOS).int()
        text = (ends.cumsum(dim=1) - ends).clamp(max=_TEXTS - 1)  # (B, S), from 0
        x = self._embed(source) + self.which(text)  # (B, S, D)
        return self.encoder(x, src_key_padding_mask=padding_mask), padding_mask


class FirstRows(nn.Module):
    """Scores `(..., W)` of the first W pieces, by the embedding table itself and a bias."""

    def __init__(self, embedding: nn.Embedding, rows: int) -> None:
        super().__init__()
        self._shared = (embedding,)  # in a tuple, so that it is not a submodule of this one too
        self.bias = nn.Parameter(torch.zeros(rows))

    def forward(self, hidden: Tensor) -> Tensor:
        """Score `(..., D)`."""
        (embedding,) = self._shared
        return F.linear(hidden, embedding.weight[: len(self.bias)], self.bias)


def build(
    *,
    d_model: int = 64,
    nhead: int = 4,
    num_layers: int = 2,
    dim_feedforward: int = 128,
    dropout: float = 0.1,
    positions: str = "relative",
    near: bool = True,
    copies: bool = True,
    vectors: bool = True,
    layer: Callable[..., nn.Module] = TransformerEncoderLayer,
    cross_attention: Callable[..., Tensor] | None = None,
) -> HelpTranslator:
    """Make a model of `num_layers` layers on each side.

    Args:
        near: start with a look at the neighbours, where positions are relative.
        copies: start with a last look at the memory that copies.
        vectors: start from vectors by translation.
        layer: makes the encoder's layers.
        cross_attention: called as `generation.cross_attention`; computes it in the training.
    """
    model = HelpTranslator(
        len(pieces()), d_model, nhead, num_layers, num_layers, dim_feedforward, rows=written(),
        padding_idx=PAD, dropout=dropout, positions=positions, layer=layer,
    )  # fmt: skip
    if near:
        look_near(model.encoder, sides=(-1, 1))
        look_near(model.decoder, sides=(0, -1))
    if copies:
        look_and_copy(model.decoder.layers[-1].multihead_attn)  # type: ignore[arg-type]
    if vectors:
        start_from(model, first_vectors.vectors(d_model), first_vectors.frequencies())
    if cross_attention is not None:
        for each in model.decoder.layers:
            each.multihead_attn = OwnCrossAttention.of(each.multihead_attn, cross_attention)  # type: ignore[arg-type]
    return model


@torch.no_grad()
def start_from(model: HelpTranslator, vectors: Tensor, frequencies: Tensor) -> None:
    """Set the table `(V, D)`, where a vector is no zeros, and the bias of the scores `(W,)`."""
    table = model.embedding.weight
    drawn = _UNSEEN * F.normalize(table, dim=1)
    table.copy_(torch.where(vectors.any(dim=1, keepdim=True), vectors, drawn))
    table[PAD] = 0.0
    model.project.bias.copy_(frequencies)
