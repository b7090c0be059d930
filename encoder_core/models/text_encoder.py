"""A text encoder, from token ids to hidden vectors, to train from scratch.

Sources: Vaswani et al. 2017, "Attention Is All You Need", sections 3.1 and 3.4; pre-norm with a
final normalisation: Xiong et al. 2020, "On Layer Normalization in the Transformer Architecture".
"""

from __future__ import annotations

from torch import Tensor, nn

from encoder_core.activations import Activation
from encoder_core.embeddings import InputEmbedding
from encoder_core.encoder import TransformerEncoderLayer
from encoder_core.models.fresh import LayerMaker
from encoder_core.models.fresh import fresh_encoder as fresh_encoder
from encoder_core.models.position_choice import read_positions

__all__ = ["TextEncoder"]


class TextEncoder(nn.Module):
    """Embedding, positions and a stack of layers: ids `(B, S)` to hidden vectors `(B, S, D)`.

    Args:
        dim_feedforward: F; 4 D by default.
        max_length: rows of the table of learned positions.
        positions: `"sinusoidal"`, `"learned"`, `"none"`, `"rotary"`, `"alibi"`, `"relative"` or
            `"t5"`; see `position_choice`.
        position_std: standard deviation of learned positions at the start, with the token vectors
            multiplied by the root of D. None is BERT's way: 0.02, and token vectors as they are.
        padding_idx: id of padding, masked if `forward` gets no mask; None if there is none.
        activation: see `fresh_encoder`; GELU by default.
        norm_first: pre-norm, which trains without warm-up, or the original post-norm.
        layer: makes a layer, this package's or another; see `fresh_encoder`.

    Raises:
        ValueError: an unknown kind of positions or activation, or H does not divide D.

    >>> import torch
    >>> encoder = TextEncoder(vocab_size=20, d_model=8, nhead=2, num_layers=2)
    >>> encoder(torch.tensor([[5, 6, 0], [7, 8, 9]])).shape
    torch.Size([2, 3, 8])
    """

    def __init__(
        self,
        vocab_size: int,
        d_model: int,
        nhead: int,
        num_layers: int,
        dim_feedforward: int | None = None,
        *,
        max_length: int = 512,
        positions: str = "sinusoidal",
        position_std: float | None = None,
        padding_idx: int | None = 0,
        dropout: float = 0.1,
        activation: str | Activation | None = None,
        norm_first: bool = True,
        layer: LayerMaker = TransformerEncoderLayer,
    ) -> None:
        super().__init__()
        choice = read_positions(positions)
        self.d_model, self.padding_idx = d_model, padding_idx
        added = choice.make_added(d_model, max_length, position_std or 0.02)
        # Sines have amplitude 1, so scale the tokens to match; BERT's learned positions are small.
        small = choice.added == "learned" and position_std is None
        self.embedding = InputEmbedding(
            vocab_size, d_model, added, padding_idx=padding_idx, scale=not small, dropout=dropout
        )
        self.encoder = fresh_encoder(
            num_layers, d_model, nhead, dim_feedforward or 4 * d_model, dropout, activation,
            norm_first, positions=positions, layer=layer,
        )  # fmt: skip

    def forward(
        self,
        ids: Tensor,
        padding_mask: Tensor | None = None,
        mask: Tensor | None = None,
        *,
        packed: bool | None = False,
    ) -> Tensor:
        """Encode ids `(B, S)` to `(B, S, D)`.

        Args:
            padding_mask: `(B, S)`, True at padding. Without it, padding is where the id is
                `padding_idx`.
            mask: what else is blocked; see `TransformerEncoderLayer.forward`.
            packed: True skips padding in the computation; see `TransformerEncoder.forward`.
        """
        if padding_mask is None and self.padding_idx is not None:
            padding_mask = ids == self.padding_idx  # (B, S)
        x = self.embedding(ids)  # (B, S, D)
        hidden: Tensor = self.encoder(x, mask, padding_mask, packed=packed)
        return hidden  # (B, S, D)
