"""Attention over long texts: a block of queries meets a block of keys, and no more scores are held.

Softmax needs the largest score of a row and the sum of all its exponentials. Both can be kept while
the keys pass by: when a block brings a larger score, one factor corrects what was summed up before.
Memory then grows with the length and not with its square. This is the form to read of what
`fused_attention` leaves to a kernel.

Source: Milakov & Gimelshein 2018, "Online normalizer calculation for softmax", algorithm 3; Rabe &
Staats 2021, "Self-attention Does Not Need O(n^2) Memory"; Dao et al. 2022, "FlashAttention",
algorithm 1.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from encoder_core.attention import scores
from encoder_core.masks import additive_mask, check_mask

__all__ = ["blockwise_attention"]


def blockwise_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | None = None,
    block: int = 1024,
    query_block: int = 1024,
) -> Tensor:
    """Attend to `block` keys at a time: at most `(..., query_block, block)` scores are held.

    It is an `AttentionFunction`, so a `MultiheadAttention` takes it as `attention=`; it returns no
    weights. Where a gradient is asked for, a block of queries is computed again in the backward
    pass, which then holds the scores of one such block and all keys.

    Args:
        query: `(..., L, Dh)`.
        key: `(..., S, Dh)`.
        value: `(..., S, Dv)`.
        mask: broadcasts to `(..., L, S)`; boolean: True is blocked, floating: added to the scores.
        block: keys in a block.
        query_block: queries in a block.

    Returns:
        The output `(..., L, Dv)`. A query that may look at nothing gets zeros.

    Raises:
        TypeError, ValueError: see `masks.check_mask`.
        ValueError: a block of less than 1, or more or fewer values than keys.

    >>> query, key = torch.zeros(2, 1), torch.zeros(3, 1)
    >>> value = torch.tensor([[1.0], [2.0], [6.0]])
    >>> blockwise_attention(query, key, value, torch.tensor([[False, False, True]]), block=2)
    tensor([[1.5000],
            [1.5000]])
    """
    if min(block, query_block) < 1:
        raise ValueError(f"A block has at least 1 entry, got {block=} and {query_block=}.")
    if key.shape[-2] != value.shape[-2]:
        raise ValueError(f"{key.shape[-2]} keys came with {value.shape[-2]} values.")
    check_mask(mask)
    graph = torch.is_grad_enabled() and any(x.requires_grad for x in (query, key, value))
    outputs = []
    for start in range(0, query.shape[-2], query_block):
        end = start + query_block
        given = query[..., start:end, :], key, value, _part(mask, -2, start, end), block
        if graph:
            outputs.append(checkpoint(_attend_in_blocks, *given, use_reentrant=False))
        else:
            outputs.append(_attend_in_blocks(*given))
    if not outputs:  # no query: (..., 0, Dv)
        return query.new_zeros(*query.shape[:-1], value.shape[-1])
    return torch.cat(outputs, dim=-2)


def _attend_in_blocks(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, block: int
) -> Tensor:
    """Attend with all of these queries, the keys in blocks: `(..., L, Dv)`."""
    dtype = torch.promote_types(query.dtype, torch.float32)  # sums of half precision lose too much
    highest = torch.full_like(query[..., :1], -torch.inf, dtype=dtype)  # (..., L, 1), so far
    total = torch.zeros_like(highest)  # (..., L, 1): the sum of exp(score - highest)
    output = query.new_zeros(*query.shape[:-1], value.shape[-1], dtype=dtype)  # not yet divided
    for start in range(0, key.shape[-2], block):
        end = start + block
        fit = scores(query, key[..., start:end, :]).to(dtype)  # (..., L, block)
        fit = _blocked(fit, _part(mask, -1, start, end))
        higher = torch.maximum(highest, fit.detach().amax(dim=-1, keepdim=True))
        # Where all was blocked so far, 0 takes the place of -inf: -inf - -inf would be NaN.
        lowered = higher.masked_fill(higher == -torch.inf, 0.0)
        shrink = torch.exp(highest - lowered)  # what was summed against a lower maximum counts less
        weights = torch.exp(fit - lowered)  # (..., L, block)
        total = total * shrink + weights.sum(dim=-1, keepdim=True)
        output = output * shrink + weights.to(value.dtype) @ value[..., start:end, :]
        highest = higher
    return (output / total.masked_fill(total == 0, 1.0)).to(query.dtype)


def _blocked(fit: Tensor, mask: Tensor | None) -> Tensor:
    """Block or add to scores `(..., L, block)` what the same part of a mask says."""
    if mask is None:
        return fit
    if mask.dtype == torch.bool:
        return fit.masked_fill(mask, -torch.inf)
    return fit + additive_mask(mask, fit.dtype)


def _part(mask: Tensor | None, axis: int, start: int, end: int) -> Tensor | None:
    """Cut a mask along the queries, -2, or the keys, -1, where it doesn't broadcast over them."""
    if mask is None or mask.dim() < -axis or mask.shape[axis] == 1:
        return mask
    return mask.narrow(axis, start, min(end, mask.shape[axis]) - start)
