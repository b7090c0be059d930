# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown] id="title"
# # 02 Attention

# %% id="setup"
import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course import check, hint, labs, use

# %% id="softmax-exercise" exercise="attention.softmax"
def softmax(x: Tensor, dim: int) -> Tensor:
    """Softmax of x along dim; a row that is -inf throughout gives zeros."""
    ### BEGIN SOLUTION
    largest = x.amax(dim=dim, keepdim=True)
    largest = largest.masked_fill(largest == float("-inf"), 0.0)  # -inf - -inf would be NaN
    exponentials = torch.exp(x - largest)
    total = exponentials.sum(dim=dim, keepdim=True)
    return exponentials / total.masked_fill(total == 0, 1.0)  # 0 / 1 instead of 0 / 0
    ### END SOLUTION


# %% id="scores-exercise" exercise="attention.scores"
def scores(query: Tensor, key: Tensor) -> Tensor:
    """Scaled scores (..., L, S) from query (..., L, Dh) and key (..., S, Dh)."""
    ### BEGIN SOLUTION
    d_k = query.shape[-1]
    return query @ key.transpose(-2, -1) / math.sqrt(d_k)  # (..., L, Dh) @ (..., Dh, S) -> (..., L, S)
    ### END SOLUTION


# %% id="causal-mask-exercise" exercise="attention.causal_mask"
def causal_mask(length: int) -> Tensor:
    """(length, length) bool, True where blocked: the future."""
    ### BEGIN SOLUTION
    return torch.ones(length, length, dtype=torch.bool).triu(diagonal=1)
    ### END SOLUTION


# %% id="padding-mask-exercise" exercise="attention.padding_mask"
def padding_mask(lengths: Tensor, max_length: int) -> Tensor:
    """(B, max_length) bool, True at padding, from lengths (B,)."""
    ### BEGIN SOLUTION
    positions = torch.arange(max_length, device=lengths.device)  # (S,)
    return positions >= lengths.unsqueeze(1)  # (S,) with (B, 1) -> (B, S)
    ### END SOLUTION


# %% id="scaled-dot-product-exercise" exercise="attention.scaled_dot_product"
def scaled_dot_product(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Output (..., L, Dv) and weights (..., L, S); mask is True where attention is blocked."""
    ### BEGIN SOLUTION
    raw = scores(query, key)  # (..., L, S)
    if mask is not None:
        raw = raw.masked_fill(mask, float("-inf"))
    weights = softmax(raw, dim=-1)
    return weights @ value, weights  # (..., L, S) @ (..., S, Dv) -> (..., L, Dv)
    ### END SOLUTION


# %% id="split-heads-exercise" exercise="attention.split_heads"
def split_heads(x: Tensor, nhead: int) -> Tensor:
    """(B, H, S, Dh) from x (B, S, D); ValueError when D % nhead is not 0."""
    ### BEGIN SOLUTION
    batch, length, d_model = x.shape
    if d_model % nhead != 0:
        raise ValueError(f"d_model ({d_model}) must be a multiple of nhead ({nhead})")
    x = x.reshape(batch, length, nhead, d_model // nhead)  # (B, S, H, Dh)
    return x.transpose(1, 2)  # (B, H, S, Dh)
    ### END SOLUTION


# %% id="merge-heads-exercise" exercise="attention.merge_heads"
def merge_heads(x: Tensor) -> Tensor:
    """(B, S, D) from x (B, H, S, Dh), the inverse of split_heads."""
    ### BEGIN SOLUTION
    batch, nhead, length, d_head = x.shape
    x = x.transpose(1, 2)  # (B, S, H, Dh)
    return x.reshape(batch, length, nhead * d_head)  # (B, S, D)
    ### END SOLUTION


# %% id="multi-head-exercise" exercise="attention.multi_head"
def multi_head(
    x: Tensor,
    w_in: Tensor,
    b_in: Tensor,
    w_out: Tensor,
    b_out: Tensor,
    nhead: int,
    mask: Tensor | None = None,
) -> Tensor:
    """Self-attention (B, S, D) with nhead heads; w_in (3D, D) and b_in (3D,) stack query, key, value."""
    ### BEGIN SOLUTION
    projected = x @ w_in.T + b_in  # (B, S, D) @ (D, 3D) -> (B, S, 3D)
    query, key, value = projected.chunk(3, dim=-1)  # three times (B, S, D)
    query = split_heads(query, nhead)  # (B, H, S, Dh)
    key = split_heads(key, nhead)  # (B, H, S, Dh)
    value = split_heads(value, nhead)  # (B, H, S, Dh)
    output, _ = scaled_dot_product(query, key, value, mask)  # (B, H, S, Dh)
    return merge_heads(output) @ w_out.T + b_out  # (B, S, D)
    ### END SOLUTION


# %% id="entropy-exercise" exercise="attention.entropy"
def entropy(weights: Tensor) -> Tensor:
    """Entropy (..., L) in nats of each query's weights (..., L, S); 0 log 0 counts 0."""
    ### BEGIN SOLUTION
    safe = weights.masked_fill(weights == 0, 1.0)  # log 1 = 0
    return -(weights * torch.log(safe)).sum(dim=-1)  # (..., L, S) -> (..., L)
    ### END SOLUTION
