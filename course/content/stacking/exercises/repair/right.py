"""Right answers to stacking.repair in other styles than the model solution's."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class SubclassOfTorch(nn.TransformerEncoderLayer):
    def __init__(self, d_model, nhead, dim_feedforward, dropout=0.1, norm_first=False):
        super().__init__(
            d_model, nhead, dim_feedforward, dropout, batch_first=True, norm_first=norm_first
        )


class FourDropouts(nn.Module):
    """As torch writes it: one dropout for each place."""

    def __init__(self, d_model, nhead, dim_feedforward, dropout=0.1, norm_first=False):
        super().__init__()
        self.norm_first = norm_first
        self.self_attn = nn.MultiheadAttention(d_model, nhead, dropout, batch_first=True)
        self.linear1, self.linear2 = (
            nn.Linear(d_model, dim_feedforward),
            nn.Linear(dim_feedforward, d_model),
        )
        self.norm1, self.norm2 = nn.LayerNorm(d_model), nn.LayerNorm(d_model)
        self.dropout, self.dropout1, self.dropout2 = (nn.Dropout(dropout) for _ in range(3))

    def _sa(self, x, mask, padding):
        x = self.self_attn(x, x, x, attn_mask=mask, key_padding_mask=padding, need_weights=False)
        return self.dropout1(x[0])

    def _ff(self, x):
        return self.dropout2(self.linear2(self.dropout(F.relu(self.linear1(x)))))

    def forward(self, src, src_mask=None, src_key_padding_mask=None):
        x = src
        if self.norm_first:
            x = x + self._sa(self.norm1(x), src_mask, src_key_padding_mask)
            return x + self._ff(self.norm2(x))
        x = self.norm1(x + self._sa(x, src_mask, src_key_padding_mask))
        return self.norm2(x + self._ff(x))


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


class _Parts(nn.Module):
    """What the answers that follow hold; each computes its attention in a way of its own."""

    def __init__(self, d_model, nhead, dim_feedforward, dropout=0.1, norm_first=False):
        super().__init__()
        self.self_attn = nn.MultiheadAttention(d_model, nhead, dropout, batch_first=True)
        self.linear1 = nn.Linear(d_model, dim_feedforward)
        self.linear2 = nn.Linear(dim_feedforward, d_model)
        self.norm1, self.norm2 = nn.LayerNorm(d_model), nn.LayerNorm(d_model)
        self.drop = nn.Dropout(dropout)
        self.norm_first = norm_first

    def forward(self, src, src_mask=None, src_key_padding_mask=None):
        def attention(x):
            return self.drop(self.attend(x, src_mask, src_key_padding_mask))

        def network(x):
            for part in (self.linear1, F.relu, self.drop, self.linear2, self.drop):
                x = part(x)
            return x

        for sublayer, norm in ((attention, self.norm1), (network, self.norm2)):
            if self.norm_first:
                src = src + sublayer(norm(src))
            else:
                src = norm(src + sublayer(src))
        return src

    def heads(self, x):
        held = self.self_attn
        projected = F.linear(x, held.in_proj_weight, held.in_proj_bias)
        return projected.unflatten(-1, (3, held.num_heads, -1)).permute(2, 0, 3, 1, 4)


class OneMaskOfBoth(_Parts):
    """The two masks merged into one, (B H, S, S)."""

    def attend(self, x, mask, padding):
        if padding is not None:
            rows = padding[:, None, :].expand(-1, x.shape[1], -1)  # (B, S, S)
            mask = rows if mask is None else rows | mask
            mask = mask.repeat_interleave(self.self_attn.num_heads, dim=0)
        return self.self_attn(x, x, x, attn_mask=mask, need_weights=False)[0]


class FusedAttention(_Parts):
    """F.scaled_dot_product_attention, whose masks say what may be looked at."""

    def attend(self, x, mask, padding):
        q, k, v = self.heads(x)
        free = None
        if mask is not None:
            free = ~mask[None, None]
        if padding is not None:
            keys = ~padding[:, None, None, :]
            free = keys.expand(-1, -1, x.shape[1], -1) if free is None else free & keys
        p = self.self_attn.dropout if self.training else 0.0
        made = F.scaled_dot_product_attention(q, k, v, free, dropout_p=p)
        return self.self_attn.out_proj(made.transpose(1, 2).flatten(2))


class EinsumAttention(_Parts):
    """Every product an einsum; a row that may look at nothing is left open, then made 0."""

    def attend(self, x, mask, padding):
        q, k, v = self.heads(x)
        scores = torch.einsum("bhqd,bhkd->bhqk", q, k) * q.shape[-1] ** -0.5
        blocked = torch.zeros_like(scores, dtype=torch.bool)
        if mask is not None:
            blocked = blocked | mask
        if padding is not None:
            blocked = blocked | padding[:, None, None]
        closed = blocked & ~blocked.all(-1, keepdim=True)
        weights = scores.masked_fill(closed, -math.inf).softmax(-1).masked_fill(blocked, 0.0)
        weights = F.dropout(weights, self.self_attn.dropout, self.training)
        made = torch.einsum("bhqk,bhkd->bqhd", weights, v)
        return self.self_attn.out_proj(made.reshape(x.shape))


LAYERS = [
    SubclassOfTorch,
    FourDropouts,
    ByHand,
    Transposed,
    OneMaskOfBoth,
    FusedAttention,
    EinsumAttention,
]

RIGHT = tuple(LAYERS[3:] + LAYERS[:3])
