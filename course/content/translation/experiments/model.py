"""The encoder-decoder that translates phrases, and what lets it start quickly.

Two things are set before the first update:

- The heads look near: in the encoder half of them at the character to the left, half at the one to the
  right; in the decoder's self-attention at the character itself and the one before.
- The last layer's look at the memory copies: its values and its output start as the identity, so that
  what it looks at is added to the vector from which the next character is read.

Sources: Shaw et al. 2018, section 3.2, and Press et al. 2022, section 3 (the bias by distance); Press
and Wolf 2017 (one table).
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from course.content.translation.experiments.characters import PAD
from course.training.first_looks import look_and_copy, look_near
from course.training.own_cross_attention import look_by
from encoder_core.encoder import TransformerEncoderLayer
from encoder_core.models.encoder_decoder import EncoderDecoder
from encoder_core.relative import RelativeBias

UNSEEN = -1e4  # added to the scores of what is too far, as good as minus infinity

__all__ = ["build"]


def build(
    vocab_size: int,
    *,
    d_model: int = 64,
    nhead: int = 4,
    num_layers: int = 2,
    dim_feedforward: int = 128,
    dropout: float = 0.0,
    positions: str = "relative",
    near: bool = True,
    copies: bool = True,
    reach: tuple[int, int] | None = None,
    layer: Callable[..., nn.Module] = TransformerEncoderLayer,
    cross_attention: Callable[..., Tensor] | None = None,
) -> EncoderDecoder:
    """Make a model of `num_layers` layers on each side.

    Args:
        near: start with a look at the neighbours, where positions are relative.
        copies: start with a last look at the memory that copies.
        layer: makes the encoder's layers.
        cross_attention: called as `generation.cross_attention`; computes it in the training. The
            decoding with a cache computes the same with encoder_core's.
    """
    model = EncoderDecoder(
        vocab_size, d_model, nhead, num_layers, num_layers, dim_feedforward,
        padding_idx=PAD, dropout=dropout, positions=positions, layer=layer,
    )  # fmt: skip
    if reach is not None:
        for stack, far in zip((model.encoder, model.decoder), reach, strict=True):
            if far:
                bound(stack, far)
    if near:
        look_near(model.encoder, sides=(-1, 1))
        look_near(model.decoder, sides=(0, -1))
    if copies:
        look_and_copy(model.decoder.layers[-1].multihead_attn)  # type: ignore[arg-type]
    if cross_attention is not None:
        look_by(model.decoder, cross_attention)
    return model


class NearBias(RelativeBias):
    """A learned number for each head and distance; what is farther than `reach` is not seen."""

    def __init__(self, nhead: int, reach: int) -> None:
        super().__init__(nhead, reach)

    def forward(self, query_length: int, key_length: int, offset: int = 0) -> Tensor:
        """Return the bias `(H, L, S)`."""
        bias = super().forward(query_length, key_length, offset)  # (H, L, S)
        queries = torch.arange(offset, offset + query_length, device=bias.device)[:, None]
        away = (torch.arange(key_length, device=bias.device) - queries).abs()  # (L, S)
        return bias.masked_fill(away > self.max_distance, UNSEEN)


def bound(stack: nn.Module, reach: int) -> None:
    """Put a `NearBias` in the place of each bias of a stack."""
    for module in list(stack.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, RelativeBias):
                setattr(module, name, NearBias(child.nhead, reach))
