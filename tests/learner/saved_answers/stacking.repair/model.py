# Exercise: stacking.repair
# Passed:   2026-11-29T06:55:34Z
# Course:   0.1.0
# Your own answer: use("stacking.repair") runs it wherever the course needs it.
# ----------------------------------------
import torch
import torch.nn as nn


class repair(nn.Module):
    """The article's TransformerEncoderLayer, mended."""

    def __init__(self, d_model, nhead, dim_feedforward, dropout=0.1,
                 norm_first=False):
        super().__init__()
        self.self_attn = nn.MultiheadAttention(
            d_model, nhead, dropout=dropout, batch_first=True
        )
        self.linear1 = nn.Linear(d_model, dim_feedforward)
        self.dropout = nn.Dropout(dropout)
        self.linear2 = nn.Linear(dim_feedforward, d_model)
        self.norm1 = nn.LayerNorm(d_model)
        self.norm2 = nn.LayerNorm(d_model)
        self.norm_first = norm_first

    def forward(self, src, src_mask=None, src_key_padding_mask=None):
        x = self.norm1(src) if self.norm_first else src
        src2 = self.self_attn(x, x, x, attn_mask=src_mask,
                              key_padding_mask=src_key_padding_mask,
                              need_weights=False)[0]
        src = src + self.dropout(src2)
        if not self.norm_first:
            src = self.norm1(src)
        x = self.norm2(src) if self.norm_first else src
        src2 = self.linear2(self.dropout(torch.relu(self.linear1(x))))
        src = src + self.dropout(src2)
        if not self.norm_first:
            src = self.norm2(src)
        return src
