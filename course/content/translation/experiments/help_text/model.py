"""The encoder-decoder that translates help texts, with a dictionary beside it.

A dictionary of pieces is counted in the training pairs (`dictionary`). It serves twice:

- At each step the model chooses what to look up: weights over the pieces of the source, which at the start
  depend on places alone. The logarithm of what the dictionary gives is added to the network's scores
  (Arthur, Neubig and Nakamura 2016, "bias").
- A piece's first vector is near those of the pieces that translate it (`first_vectors`), and the scores
  start with how often a piece is written.

Scores are computed for the pieces that Chinese texts are written with; the others stand last in the table,
which is one for both languages. As for the phrases, the heads start with a look at what is near. The source
may be several texts, each with `[SEP]` at its end: the English one, and those of similar pairs. A vector for
each place in this list tells them apart.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course.content.translation.experiments.help_text import dictionary as lexicon
from course.content.translation.experiments.help_text import first_vectors
from course.content.translation.experiments.help_text.tokens import EOS, PAD, pieces, written
from course.training.first_looks import look_near
from course.training.own_cross_attention import look_by
from encoder_core.cache import KeyValueCache
from encoder_core.encoder import TransformerEncoderLayer
from encoder_core.models.encoder_decoder import EncoderDecoder

__all__ = ["HelpTranslator", "build"]

_TEXTS = 5  # in one source, at most
_STRETCH = 1.2  # English pieces to a Chinese one
_SLOPE = 0.5
_UNLIKELY = 1e-3  # of a piece that the dictionary does not give
_UNSEEN = 0.3  # length of the first vector of a piece of which nothing is counted


class HelpTranslator(EncoderDecoder):
    """An encoder-decoder whose source is one text or several, with a dictionary beside its scores.

    Args:
        rows: W, the pieces that are scored.
        dictionary: the K likeliest translations of each piece and how likely each is, `(V, K)` both.

    `encode` adds the source's pieces to its memory as a last column, so that `step` can look them up:
    `(B, S, D + 1)`.
    """

    likely: Tensor
    likelihood: Tensor

    def __init__(
        self, *arguments: Any, rows: int, dictionary: tuple[Tensor, Tensor], **options: Any
    ) -> None:
        super().__init__(*arguments, **options)
        width = self.embedding.embedding_dim
        self.which = nn.Embedding(_TEXTS, width)
        nn.init.normal_(self.which.weight, std=0.5)
        self.project: Any = FirstRows(self.embedding, rows)
        self.query, self.key = nn.Linear(width, width), nn.Linear(width, width, bias=False)
        nn.init.zeros_(self.query.weight)  # at the start places alone decide
        self.slope = nn.Parameter(torch.tensor(_SLOPE))
        self.register_buffer("likely", dictionary[0])
        self.register_buffer("likelihood", dictionary[1])

    def encode(self, source: Tensor) -> tuple[Tensor, Tensor]:
        """Encode source ids `(B, S)`; return the memory `(B, S, D + 1)` and its padding mask `(B, S)`."""
        padding_mask = source == PAD  # (B, S)
        ends = (source == EOS).int()
        text = (ends.cumsum(dim=1) - ends).clamp(max=_TEXTS - 1)  # (B, S), from 0
        x = self._embed(source) + self.which(text)  # (B, S, D)
        memory = self.encoder(x, src_key_padding_mask=padding_mask)
        return torch.cat((memory, source[..., None].to(memory.dtype)), dim=-1), padding_mask

    def forward(self, source: Tensor, target: Tensor, *, where: Tensor | None = None) -> Tensor:
        """Return the logits `(B, T, W)`, or `(M, W)` at the M true places of `where` `(B, T)`."""
        memory, padding_mask = self.encode(source)
        hidden = self.decoder(
            self._embed(target),
            memory[..., :-1],
            memory_key_padding_mask=padding_mask,
            tgt_is_causal=True,
        )  # (B, T, D)
        looks = self.look(hidden, memory, padding_mask)  # (B, T, S)
        if where is None:
            where = torch.ones_like(target, dtype=torch.bool)
            return self.score(hidden, looks, source, where).view(*target.shape, -1)
        return self.score(hidden, looks, source, where)

    def step(
        self, tokens: Tensor, memory: Tensor, padding_mask: Tensor, cache: KeyValueCache
    ) -> Tensor:
        """Return the logits `(B, L, W)` after each of L new tokens `(B, L)`; see `EncoderDecoder`."""
        first = cache.length
        x = self._embed(tokens, offset=first)  # (B, L, D)
        hidden = self.decoder.step(x, memory[..., :-1], cache, padding_mask)  # (B, L, D)
        looks = self.look(hidden, memory, padding_mask, first)  # (B, L, S)
        every = torch.ones_like(tokens, dtype=torch.bool)
        source = memory[..., -1].long()  # (B, S)
        scores: Tensor = self.score(hidden, looks, source, every)  # (B * L, W)
        by_text: Tensor = scores.view(*tokens.shape, -1)
        return by_text

    def look(self, hidden: Tensor, memory: Tensor, padding_mask: Tensor, first: int = 0) -> Tensor:
        """Choose what to look up in the dictionary: weights `(B, T, S)`.

        They depend on what the decoder wants and on how far a piece is from the place where it would
        stand if all texts kept the English order.
        """
        scores = self.query(hidden) @ self.key(memory[..., :-1]).transpose(1, 2)  # (B, T, S)
        there = _STRETCH * (first + torch.arange(hidden.shape[1]))[:, None]  # (T, 1)
        far = (torch.arange(memory.shape[1]) - there).abs()  # (T, S)
        scores = scores / math.sqrt(hidden.shape[-1]) - self.slope * far
        looks: Tensor = scores.masked_fill(padding_mask[:, None], -torch.inf).softmax(dim=-1)
        return looks

    def score(self, hidden: Tensor, looks: Tensor, source: Tensor, where: Tensor) -> Tensor:
        """Add up the network's scores and the dictionary's, at M places: `(M, W)`."""
        text = where.nonzero()[:, 0]  # (M,)
        pieces = source[text]  # (M, S)
        likely = (looks[where][..., None] * self.likelihood[pieces]).flatten(1)  # (M, S * K)
        scores: Tensor = self.project(hidden[where])  # (M, W)
        known: Tensor = torch.zeros_like(scores).scatter_add(
            1, self.likely[pieces].flatten(1), likely
        )
        return scores + (known + _UNLIKELY).log()


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
    dictionary: bool = True,
    layer: Callable[..., nn.Module] = TransformerEncoderLayer,
    cross_attention: Callable[..., Tensor] | None = None,
) -> HelpTranslator:
    """Make a model of `num_layers` layers on each side.

    Args:
        near: start with a look at the neighbours, where positions are relative.
        dictionary: score with a dictionary too, and start from vectors by translation.
        layer: makes the encoder's layers.
        cross_attention: called as `generation.cross_attention`; computes it in the training.
    """
    model = HelpTranslator(
        len(pieces()), d_model, nhead, num_layers, num_layers, dim_feedforward,
        rows=written(), dictionary=lexicon.tables() if dictionary else lexicon.empty(),
        padding_idx=PAD, dropout=dropout, positions=positions, layer=layer,
    )  # fmt: skip
    if near:
        look_near(model.encoder, sides=(-1, 1))
        look_near(model.decoder, sides=(0, -1))
    if dictionary:
        start_from(model, first_vectors.vectors(d_model), first_vectors.frequencies())
    if cross_attention is not None:
        look_by(model.decoder, cross_attention)
    return model


@torch.no_grad()
def start_from(model: HelpTranslator, vectors: Tensor, frequencies: Tensor) -> None:
    """Set the table `(V, D)`, where a vector is no zeros, and the bias of the scores `(W,)`."""
    table = model.embedding.weight
    drawn = _UNSEEN * F.normalize(table, dim=1)
    table.copy_(torch.where(vectors.any(dim=1, keepdim=True), vectors, drawn))
    table[PAD] = 0.0
    model.project.bias.copy_(frequencies)
