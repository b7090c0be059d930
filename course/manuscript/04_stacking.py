# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown] id="title"
# # 04 Stacking

# %% id="setup"
import copy
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course import check, explain, figures, hint, labs, predict, quiz, use

# %% id="layer-norm-exercise" exercise="stacking.layer_norm"
def layer_norm(x: Tensor, weight: Tensor, bias: Tensor, eps: float = 1e-5) -> Tensor:
    """Each vector of x (..., D) to mean 0 and variance 1, times weight (D,), plus bias (D,)."""
    ### BEGIN SOLUTION
    mean = x.mean(dim=-1, keepdim=True)  # (..., 1)
    variance = (x - mean).square().mean(dim=-1, keepdim=True)  # (..., 1)
    normalised = (x - mean) / torch.sqrt(variance + eps)  # (..., D)
    return normalised * weight + bias
    ### END SOLUTION


# %% id="layer-norm-check"
check("stacking.layer_norm", layer_norm)

# %% id="layer-norm-use"
layer_norm = use("stacking.layer_norm")

# %% id="token-similarity-exercise" exercise="stacking.token_similarity"
def token_similarity(hidden: Tensor, padding_mask: Tensor | None = None) -> Tensor:
    """Mean cosine similarity (B,) over the pairs of different real tokens of hidden (B, S, D)."""
    ### BEGIN SOLUTION
    length = hidden.norm(dim=-1, keepdim=True)  # (B, S, 1)
    unit = hidden / length.masked_fill(length == 0, 1.0)  # a zero vector stays zero
    cosines = unit @ unit.transpose(-2, -1)  # (B, S, D) @ (B, D, S) -> (B, S, S)

    counts = ~torch.eye(hidden.shape[1], dtype=torch.bool, device=hidden.device)  # (S, S)
    counts = counts.expand(cosines.shape)  # (B, S, S): no token with itself
    if padding_mask is not None:
        real = ~padding_mask
        counts = counts & real.unsqueeze(1) & real.unsqueeze(2)  # (B, 1, S) with (B, S, 1)
    total = cosines.masked_fill(~counts, 0.0).sum(dim=(-2, -1))  # (B,)
    return total / counts.sum(dim=(-2, -1)).clamp(min=1)  # without a pair: 0 / 1
    ### END SOLUTION


# %% id="token-similarity-check"
check("stacking.token_similarity", token_similarity)

# %% id="token-similarity-use"
token_similarity = use("stacking.token_similarity")

# %% id="residual-exercise" exercise="stacking.residual"
def residual(
    x: Tensor,
    sublayer: Callable[[Tensor], Tensor],
    norm: Callable[[Tensor], Tensor],
    norm_first: bool,
) -> Tensor:
    """Pre-norm x + sublayer(norm(x)), or post-norm norm(x + sublayer(x)); both called once."""
    ### BEGIN SOLUTION
    if norm_first:
        return x + sublayer(norm(x))
    return norm(x + sublayer(x))
    ### END SOLUTION


# %% id="residual-check"
check("stacking.residual", residual)

# %% id="residual-use"
residual = use("stacking.residual")

# %% id="encoder-layer-exercise" exercise="stacking.EncoderLayer"
class EncoderLayer(nn.Module):
    """Self-attention and feed-forward (ReLU), each with dropout, residual and layer norm.

    Its state dict has the names of nn.TransformerEncoderLayer's. (B, S, D) -> (B, S, D).
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
        ### BEGIN SOLUTION
        self.self_attn = nn.MultiheadAttention(d_model, nhead, dropout=dropout, batch_first=True)
        self.linear1 = nn.Linear(d_model, dim_feedforward)
        self.linear2 = nn.Linear(dim_feedforward, d_model)
        self.norm1 = nn.LayerNorm(d_model)
        self.norm2 = nn.LayerNorm(d_model)
        self.dropout = nn.Dropout(dropout)  # it has no weights, so one serves all places
        self.norm_first = norm_first
        ### END SOLUTION

    def forward(
        self,
        src: Tensor,
        src_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
    ) -> Tensor:
        """src (B, S, D); src_mask (S, S) and src_key_padding_mask (B, S): True is blocked."""
        ### BEGIN SOLUTION
        def attend(x: Tensor) -> Tensor:
            attended, _ = self.self_attn(
                x, x, x, attn_mask=src_mask, key_padding_mask=src_key_padding_mask,
                need_weights=False,  # with weights, a row in which all is blocked becomes NaN
            )
            return self.dropout(attended)  # (B, S, D)

        def feed_forward(x: Tensor) -> Tensor:
            inner = self.dropout(torch.relu(self.linear1(x)))  # (B, S, F)
            return self.dropout(self.linear2(inner))  # (B, S, D)

        x = residual(src, attend, self.norm1, self.norm_first)
        return residual(x, feed_forward, self.norm2, self.norm_first)
        ### END SOLUTION


# %% id="encoder-layer-check"
check("stacking.EncoderLayer", EncoderLayer)

# %% id="encoder-layer-use"
EncoderLayer = use("stacking.EncoderLayer")

# %% id="get-clones-exercise" exercise="stacking.get_clones"
def get_clones(module: nn.Module, count: int) -> nn.ModuleList:
    """`count` copies of a module that share nothing with it or with one another."""
    ### BEGIN SOLUTION
    return nn.ModuleList([copy.deepcopy(module) for _ in range(count)])
    ### END SOLUTION


# %% id="get-clones-check"
check("stacking.get_clones", get_clones)

# %% id="get-clones-use"
get_clones = use("stacking.get_clones")

# %% id="repair-exercise" exercise="stacking.repair"
class repair(nn.Module):
    """The article's TransformerEncoderLayer, mended."""

    ### BEGIN SOLUTION
    def __init__(self, d_model, nhead, dim_feedforward, dropout=0.1, norm_first=False):
        super().__init__()
        self.self_attn = nn.MultiheadAttention(d_model, nhead, dropout=dropout, batch_first=True)
        self.linear1 = nn.Linear(d_model, dim_feedforward)
        self.dropout = nn.Dropout(dropout)
        self.linear2 = nn.Linear(dim_feedforward, d_model)
        self.norm1 = nn.LayerNorm(d_model)
        self.norm2 = nn.LayerNorm(d_model)
        self.norm_first = norm_first

    def forward(self, src, src_mask=None, src_key_padding_mask=None):
        x = self.norm1(src) if self.norm_first else src
        src2 = self.self_attn(x, x, x, attn_mask=src_mask,
                              key_padding_mask=src_key_padding_mask, need_weights=False)[0]
        src = src + self.dropout(src2)
        if not self.norm_first:
            src = self.norm1(src)
        x = self.norm2(src) if self.norm_first else src
        src2 = self.linear2(self.dropout(torch.relu(self.linear1(x))))
        src = src + self.dropout(src2)
        if not self.norm_first:
            src = self.norm2(src)
        return src
    ### GIVEN
    # def __init__(self, d_model, nhead, dim_feedforward, dropout=0.1, norm_first=False):
    #     raise NotImplementedError  # mend what follows, then delete this line
    #     super().__init__()
    #     self.self_attn = nn.MultiheadAttention(d_model, nhead, dropout=dropout)
    #     self.linear1 = nn.Linear(d_model, dim_feedforward)
    #     self.dropout = nn.Dropout(dropout)
    #     self.linear2 = nn.Linear(dim_feedforward, d_model)
    #
    # def forward(self, src, src_mask=None, src_key_padding_mask=None):
    #     src2 = self.self_attn(src, src, src, attn_mask=src_mask,
    #                           key_padding_mask=src_key_padding_mask)[0]
    #     src = src + self.dropout(src2)
    #     src2 = self.linear2(self.dropout(torch.relu(self.linear1(src))))
    #     src = src + self.dropout(src2)
    #     return src
    ### END SOLUTION


# %% id="repair-check"
check("stacking.repair", repair)

# %% id="repair-use"
repair = use("stacking.repair")
