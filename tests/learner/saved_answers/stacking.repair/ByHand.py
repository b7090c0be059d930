# Exercise: stacking.repair
# Passed:   2026-11-29T07:00:09Z
# Course:   0.1.0
# Your own answer: use("stacking.repair") runs it wherever the course needs it.
# ----------------------------------------
from torch import Tensor
import math
import torch
import torch.nn as nn
import torch.nn.functional as F


class _Attention(nn.Module):
    """Attention by hand, under torch's names."""

    def __init__(self, d_model, nhead, dropout):
        super().__init__()
        self.in_proj_weight = nn.Parameter(torch.empty(3 * d_model, d_model))
        self.in_proj_bias = nn.Parameter(torch.zeros(3 * d_model))
        self.out_proj = nn.Linear(d_model, d_model)
        self.nhead, self.p = nhead, dropout
        nn.init.xavier_uniform_(self.in_proj_weight)

    def forward(self, x, mask):
        B, S, D = x.shape
        q, k, v = F.linear(x, self.in_proj_weight, self.in_proj_bias).chunk(3, -1)
        q, k, v = (t.reshape(B, S, self.nhead, -1).transpose(1, 2) for t in (q, k, v))
        scores = q @ k.transpose(-2, -1) / math.sqrt(D // self.nhead)
        if mask is not None:
            nothing = mask.all(-1, keepdim=True)
            scores = scores.masked_fill(mask & ~nothing, float("-inf"))
            weights = scores.softmax(-1) * ~nothing
        else:
            weights = scores.softmax(-1)
        weights = F.dropout(weights, self.p, self.training)
        return self.out_proj((weights @ v).transpose(1, 2).reshape(B, S, D))


class ByHand(nn.Module):
    def __init__(self, d_model, nhead, dim_feedforward, dropout=0.1, norm_first=False):
        super().__init__()
        self.self_attn = _Attention(d_model, nhead, dropout)
        self.linear1 = nn.Linear(d_model, dim_feedforward)
        self.linear2 = nn.Linear(dim_feedforward, d_model)
        self.norm1 = nn.LayerNorm(d_model)
        self.norm2 = nn.LayerNorm(d_model)
        self.drop = dropout
        self.norm_first = norm_first

    def forward(
        self,
        src: Tensor,
        src_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
    ) -> Tensor:
        mask = None
        if src_mask is not None:
            mask = src_mask[None, None]
        if src_key_padding_mask is not None:
            padding = src_key_padding_mask[:, None, None, :]
            mask = padding if mask is None else mask | padding

        def dropped(x: Tensor) -> Tensor:
            return F.dropout(x, self.drop, training=self.training)

        normed = self.norm1(src) if self.norm_first else src
        x = src + dropped(self.self_attn(normed, mask))
        x = x if self.norm_first else self.norm1(x)
        normed = self.norm2(x) if self.norm_first else x
        x = x + dropped(self.linear2(dropped(self.linear1(normed).clamp(min=0))))
        return x if self.norm_first else self.norm2(x)


repair = ByHand
