"""The encoder-decoder that writes sentences, and what lets it start quickly.

Three things are set before the first update; nothing of validation or test is in them:

- The heads look near: in the encoder half of them at the piece to the left, half at the one to the
  right; in the decoder's self-attention at the piece itself and the one before.
- A piece's first vector says which pieces stand near it in the documentation (`neighbours`).
- The last layer's look at the memory copies: its values and its output start as the identity, so that
  what it looks at is added to the vector from which the next piece is read. The table of pieces is one
  for the keywords, the sentence and the output.

Sources: Shaw et al. 2018, section 3.2, and Press et al. 2022, section 3 (the bias by distance); Press
and Wolf 2017 (one table).
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from course.content.generation.experiments.pairs import PAD
from course.datasets.python_docs import corpus
from course.datasets.python_docs.neighbour_vectors import neighbour_vectors
from course.training.first_looks import look_and_copy, look_near
from course.training.own_cross_attention import look_by
from encoder_core.encoder import TransformerEncoderLayer
from encoder_core.models.encoder_decoder import EncoderDecoder

__all__ = ["build"]


def build(
    *,
    d_model: int = 64,
    nhead: int = 4,
    num_layers: int = 2,
    dim_feedforward: int = 128,
    dropout: float = 0.1,
    positions: str = "relative",
    near: bool = True,
    vectors: bool = True,
    copies: bool = True,
    layer: Callable[..., nn.Module] = TransformerEncoderLayer,
    cross_attention: Callable[..., Tensor] | None = None,
) -> EncoderDecoder:
    """Make a model of `num_layers` layers on each side.

    Args:
        near: start with a look at the neighbours, where positions are relative.
        vectors: start from vectors by neighbours.
        copies: start with a last look at the memory that copies.
        layer: makes the encoder's layers.
        cross_attention: called as `generation.cross_attention`; computes it in the training. The
            decoding with a cache computes the same with encoder_core's.
    """
    size = len(corpus.tokenizer().vocabulary)
    model = EncoderDecoder(
        size, d_model, nhead, num_layers, num_layers, dim_feedforward,
        padding_idx=PAD, dropout=dropout, positions=positions, layer=layer,
    )  # fmt: skip
    if near:
        look_near(model.encoder, sides=(-1, 1))
        look_near(model.decoder, sides=(0, -1))
    if vectors:
        with torch.no_grad():
            model.embedding.weight.copy_(neighbour_vectors(corpus.pieces("train"), size, d_model))
            model.embedding.weight[PAD] = 0.0
    if copies:
        look_and_copy(model.decoder.layers[-1].multihead_attn)  # type: ignore[arg-type]
    if cross_attention is not None:
        look_by(model.decoder, cross_attention)
    return model
