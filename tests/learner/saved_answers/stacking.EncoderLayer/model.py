# Exercise: stacking.EncoderLayer
# Passed:   2026-11-29T06:55:25Z
# Course:   0.1.0
# Your own answer: use("stacking.EncoderLayer") runs it wherever the course needs it.
# ----------------------------------------
from torch import Tensor
import torch
import torch.nn as nn
from course import use


residual = use("stacking.residual")


class EncoderLayer(nn.Module):
    """Attention and feed-forward (ReLU), each with dropout, residual and norm.

    Its state dict has the names of nn.TransformerEncoderLayer's.
    """

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int,
        dropout: float = 0.1,
        norm_first: bool = False,
    ) -> None:
        super().__init__()
        self.self_attn = nn.MultiheadAttention(
            d_model, nhead, dropout=dropout, batch_first=True
        )
        self.linear1 = nn.Linear(d_model, dim_feedforward)
        self.linear2 = nn.Linear(dim_feedforward, d_model)
        self.norm1 = nn.LayerNorm(d_model)
        self.norm2 = nn.LayerNorm(d_model)
        self.dropout = nn.Dropout(dropout)  # without weights: one serves all places
        self.norm_first = norm_first

    def forward(
        self,
        src: Tensor,
        src_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
    ) -> Tensor:
        """(B, S, D) from src (B, S, D); src_mask (S, S) and padding (B, S) block."""
        def attend(x: Tensor) -> Tensor:
            attended, _ = self.self_attn(
                x, x, x, attn_mask=src_mask, key_padding_mask=src_key_padding_mask,
                need_weights=False,  # with weights, a row without a free key is NaN
            )
            return self.dropout(attended)  # (B, S, D)

        def feed_forward(x: Tensor) -> Tensor:
            inner = self.dropout(torch.relu(self.linear1(x)))  # (B, S, F)
            return self.dropout(self.linear2(inner))  # (B, S, D)

        x = residual(src, attend, self.norm1, self.norm_first)
        return residual(x, feed_forward, self.norm2, self.norm_first)
