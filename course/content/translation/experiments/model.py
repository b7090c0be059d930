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
from typing import Any

import torch
from torch import Tensor, nn

from course.content.translation.experiments.characters import PAD
from encoder_core.encoder import TransformerEncoderLayer
from encoder_core.models.encoder_decoder import EncoderDecoder
from encoder_core.multihead import MultiheadAttention
from encoder_core.relative import RelativeBias

UNSEEN = -1e4  # added to the scores of what is too far, as good as minus infinity

__all__ = ["OwnCrossAttention", "build", "look_and_copy", "look_near"]


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
        for each in model.decoder.layers:
            each.multihead_attn = OwnCrossAttention.of(each.multihead_attn, cross_attention)  # type: ignore[arg-type]
    return model


@torch.no_grad()
def look_near(stack: nn.Module, sides: tuple[int, ...]) -> None:
    """Start the biases of a stack's heads beside the query: on `sides`, in turns.

    Their slopes are 1 in the first half of the heads and 1/4 in the second.
    """
    for module in stack.modules():
        table = getattr(module, "table", None)
        if not isinstance(table, nn.Parameter):
            continue
        nhead, far = table.shape[0], table.shape[1] // 2
        distance = torch.arange(-far, far + 1)  # (2 * far + 1,)
        for head in range(nhead):
            slope = 1.0 if head < (nhead + 1) // 2 else 0.25
            table[head] = -slope * (distance - sides[head % len(sides)]).abs()


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


@torch.no_grad()
def look_and_copy(attention: MultiheadAttention) -> None:
    """Start an attention's values and its output as the identity."""
    d_model = attention.embed_dim
    attention.in_proj_weight[2 * d_model :] = torch.eye(d_model)
    attention.out_proj.weight.copy_(torch.eye(d_model))


class OwnCrossAttention(MultiheadAttention):
    """Attention to the memory that a function of the learner's computes, with the same parameters.

    Args:
        function: called as `generation.cross_attention`.
    """

    function: Callable[..., Tensor]

    @classmethod
    def of(
        cls, attention: MultiheadAttention, function: Callable[..., Tensor]
    ) -> OwnCrossAttention:
        """Take over an attention's parameters."""
        own = cls(attention.embed_dim, attention.num_heads, dropout=0.0)
        own.load_state_dict(attention.state_dict())
        own.function = function
        return own

    def forward(self, query: Tensor, key: Tensor, value: Tensor, *masks: Any, **more: Any) -> Any:
        """Compute `(B, T, D)`; of the masks the memory's padding, the first, is the one there is."""
        padding = masks[0] if masks else more.get("key_padding_mask")  # (B, S)
        output = self.function(
            query, key, self.in_proj_weight, self.in_proj_bias, self.out_proj.weight,
            self.out_proj.bias, self.num_heads, padding,
        )  # fmt: skip
        return output, None
