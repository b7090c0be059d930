# Exercise: stacking.EncoderLayer
# Passed:   2026-11-29T07:00:08Z
# Course:   0.1.0
# Your own answer: use("stacking.EncoderLayer") runs it wherever the course needs it.
# ----------------------------------------
import torch
import torch.nn as nn


class Transposed(nn.Module):
    """Length first inside, as the article's listing has its attention."""

    def __init__(self, d_model, nhead, dim_feedforward, dropout=0.1, norm_first=False):
        super().__init__()
        self.self_attn = nn.MultiheadAttention(d_model, nhead, dropout=dropout)
        self.linear1 = nn.Linear(d_model, dim_feedforward)
        self.dropout = nn.Dropout(dropout)
        self.linear2 = nn.Linear(dim_feedforward, d_model)
        self.norm1, self.norm2 = (nn.LayerNorm(d_model, eps=1e-5) for _ in range(2))
        self.norm_first = norm_first

    def forward(self, src, src_mask=None, src_key_padding_mask=None):
        src = src.transpose(0, 1)
        x = self.norm1(src) if self.norm_first else src
        src2 = self.self_attn(
            x, x, x, attn_mask=src_mask, key_padding_mask=src_key_padding_mask, need_weights=False
        )[0]
        src = src + self.dropout(src2)
        src = src if self.norm_first else self.norm1(src)
        x = self.norm2(src) if self.norm_first else src
        src = src + self.dropout(self.linear2(self.dropout(torch.relu(self.linear1(x)))))
        src = src if self.norm_first else self.norm2(src)
        return src.transpose(0, 1)


EncoderLayer = Transposed
