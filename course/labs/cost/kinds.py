"""The three ways to attend, as functions that an encoder layer takes in place of its own.

Sources: Milakov and Gimelshein 2018, "Online normalizer calculation for softmax"; Rabe and Staats 2021,
"Self-attention Does Not Need O(n²) Memory"; Dao et al. 2022, "FlashAttention".
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

from encoder_core.attention import AttentionFunction, scaled_dot_product_attention
from encoder_core.inspect.costs import AttentionKind

BLOCK = 128  # keys
# `own(query, key, value, block)`: attention in blocks that somebody else has written.
OwnBlocks = Callable[[Tensor, Tensor, Tensor, int], Tensor]


def fused(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None) -> Tensor:
    """Attend in PyTorch's one kernel, without a mask: `(B, H, S, Dh)` to the same."""
    return F.scaled_dot_product_attention(query, key, value)


def in_blocks(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None) -> Tensor:
    """Attend to `BLOCK` keys at a time, without a mask: `(B, H, S, Dh)` to the same.

    As a learner writes it: in training autograd keeps every block, which is what the lab counts.
    `encoder_core.blockwise_attention` computes the blocks again instead.

    >>> query, key, value = torch.randn(3, 1, 2, 300, 8, dtype=torch.float64)
    >>> expected = scaled_dot_product_attention(query, key, value)[0]
    >>> torch.allclose(in_blocks(query, key, value), expected)
    True
    """
    query = query / math.sqrt(query.shape[-1])
    highest = query.new_full((*query.shape[:-1], 1), -math.inf)  # (B, H, S, 1)
    total, output = torch.zeros_like(highest), torch.zeros_like(query)
    for start in range(0, key.shape[-2], BLOCK):
        keys, values = key[..., start : start + BLOCK, :], value[..., start : start + BLOCK, :]
        scores = query @ keys.transpose(-2, -1)  # (B, H, S, BLOCK)
        higher = torch.maximum(highest, scores.amax(dim=-1, keepdim=True))
        shrink, weights = torch.exp(highest - higher), torch.exp(scores - higher)
        total = total * shrink + weights.sum(dim=-1, keepdim=True)
        output = output * shrink + weights @ values
        highest = higher
    return output / total


def functions(own: OwnBlocks | None = None) -> Mapping[AttentionKind, AttentionFunction]:
    """All three ways, with somebody's own blocks in place of these."""
    if own is None:
        return FUNCTIONS
    return {**FUNCTIONS, "blockwise": lambda q, k, v, mask=None, /: own(q, k, v, BLOCK)}


FUNCTIONS: Mapping[AttentionKind, AttentionFunction] = {
    "explicit": scaled_dot_product_attention,
    "blockwise": in_blocks,
    "fused": fused,
}
