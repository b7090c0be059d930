"""Positions as a number added to each score, which depends on how far the key is from the query.

Attention then needs no positions in the token vectors. `AlibiBias` is fixed: the further, the less.
`RelativeBias` learns a number for each distance, `T5Bias` one for each bucket of distances. Put one
into `MultiheadAttention(position_bias=...)`, each attention its own.

A distance is `place of the key - place of the query`: negative to the left. Queries stand at
`offset`, `offset + 1` and so on, keys at 0, 1 and so on; `offset` is the number of tokens that a
decoder's cache already holds.

Sources: Shaw et al. 2018, "Self-Attention with Relative Position Representations", section 3.2
(distances clipped); Raffel et al. 2020, "Exploring the Limits of Transfer Learning with a Unified
Text-to-Text Transformer" (T5), section 2.1 (a number added to each score), and its code (mesh,
`_relative_position_bucket`); Press et al. 2022, "Train Short, Test Long" (ALiBi), section 3.
"""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor, nn

from encoder_core.positions import alibi_slopes

__all__ = ["AlibiBias", "RelativeBias", "T5Bias", "spread_over_pairs", "t5_buckets"]


def spread_over_pairs(by_distance: Tensor, query_length: int, key_length: int) -> Tensor:
    """Give each pair of query and key the number of its distance: `(H, L + S - 1)` to `(H, L, S)`.

    The smallest distance, from the last query to the first key, comes first. Each query's row
    begins one place before that of the query on its left.

    >>> spread_over_pairs(torch.tensor([[-2, -1, 0, 1, 2]]), 3, 3)
    tensor([[[ 0,  1,  2],
             [-1,  0,  1],
             [-2, -1,  0]]])
    """
    if query_length == 0 or key_length == 0:
        return by_distance.new_zeros(by_distance.shape[0], query_length, key_length)
    return by_distance.unfold(1, key_length, 1).flip(1)  # the last query's row came first


def _distances(query_length: int, key_length: int, offset: int, like: Tensor) -> Tensor:
    """List the distances in a call, `(L + S - 1,)`, the smallest first."""
    first = 1 - query_length - offset
    return torch.arange(first, max(first, key_length - offset), device=like.device)


class AlibiBias(nn.Module):
    """ALiBi as a module: `-slope * |distance|`, with a slope for each head. Nothing is learned.

    Shapes: see `forward`. The state dict is empty.

    >>> AlibiBias(nhead=1)(3, 3)[0] * 256
    tensor([[ 0., -1., -2.],
            [-1.,  0., -1.],
            [-2., -1.,  0.]])
    """

    slopes: Tensor

    def __init__(self, nhead: int) -> None:
        super().__init__()
        self.register_buffer("slopes", alibi_slopes(nhead), persistent=False)  # (H,)

    def forward(self, query_length: int, key_length: int, offset: int = 0) -> Tensor:
        """Return the bias `(H, L, S)`; equal to `positions.alibi_bias`."""
        distance = _distances(query_length, key_length, offset, self.slopes).abs()  # (L + S - 1,)
        line = -self.slopes[:, None] * distance + 0.0  # + 0.0 turns -0. to 0.
        return spread_over_pairs(line, query_length, key_length)


class RelativeBias(nn.Module):
    """A learned number for each head and distance; to the left and to the right are told apart.

    Args:
        max_distance: distances beyond it get the number of this one.
        start: `"alibi"` starts with ALiBi's numbers, `"zero"` without any order.

    Shapes: see `forward`. State-dict key: `table` `(H, 2 * max_distance + 1)`, whose column
    `max_distance` is distance 0.

    Raises:
        ValueError: `max_distance` or `nhead` below 1, or another `start`.

    >>> bias = RelativeBias(nhead=2, max_distance=8)
    >>> bias(3, 3).shape, torch.equal(bias(3, 3), AlibiBias(2)(3, 3))
    (torch.Size([2, 3, 3]), True)
    """

    def __init__(
        self, nhead: int, max_distance: int = 128, start: Literal["alibi", "zero"] = "alibi"
    ) -> None:
        super().__init__()
        if nhead < 1 or max_distance < 1:
            raise ValueError(
                f"Need nhead and max_distance of at least 1, got {nhead} and {max_distance}."
            )
        if start not in ("alibi", "zero"):
            raise ValueError(f"start must be 'alibi' or 'zero', got {start!r}.")
        self.nhead, self.max_distance, self.start = nhead, max_distance, start
        self.table = nn.Parameter(torch.empty(nhead, 2 * max_distance + 1))
        self.reset_parameters()

    @torch.no_grad()
    def reset_parameters(self) -> None:
        """Fill the table as `start` says."""
        nn.init.zeros_(self.table)
        if self.start == "alibi":
            far = self.max_distance
            distance = torch.arange(-far, far + 1, device=self.table.device).abs()
            self.table.sub_(alibi_slopes(self.nhead).to(self.table)[:, None] * distance)

    def forward(self, query_length: int, key_length: int, offset: int = 0) -> Tensor:
        """Return the bias `(H, L, S)`."""
        far = self.max_distance
        distance = _distances(query_length, key_length, offset, self.table)  # (L + S - 1,)
        line = self.table[:, distance.clamp(-far, far) + far]  # (H, L + S - 1)
        return spread_over_pairs(line, query_length, key_length)


def t5_buckets(
    distance: Tensor, buckets: int = 32, max_distance: int = 128, bidirectional: bool = True
) -> Tensor:
    """Sort distances of any shape, int64, into T5's buckets.

    Half of the buckets are for the right, where `bidirectional`; else all keys to the right share
    bucket 0 with distance 0. Of each half, half hold one distance each, and the others ranges that
    grow with the distance up to `max_distance`; the last holds everything beyond, too.

    >>> t5_buckets(torch.tensor([-200, -9, -8, -1, 0, 1]))
    tensor([15,  8,  8,  1,  0, 17])
    """
    side = buckets // 2 if bidirectional else buckets
    right = (distance > 0) * side if bidirectional else torch.zeros_like(distance)
    away = distance.abs() if bidirectional else (-distance).clamp(min=0)
    exact = side // 2
    # float32, and in this order, as in T5's code: a boundary is where its rounding puts it.
    growth = torch.log(away.float() / exact) / math.log(max_distance / exact) * (side - exact)
    coarse = (exact + growth.clamp(min=0).long()).clamp(max=side - 1)  # log(0) is never used
    return right + torch.where(away < exact, away, coarse)


class T5Bias(nn.Module):
    """A learned number for each head and bucket of distances, as in T5; zero at the start.

    T5 shares one table between all layers of a stack; a module in each layer is a table for each.
    `max_distance` is where the last bucket's range ends. `bidirectional` is False in decoders.

    Shapes: see `forward`. State-dict key: `table` `(H, buckets)`, T5's table transposed.

    Raises:
        ValueError: fewer than 2 buckets a side, an odd number of them, or a `max_distance` that
            leaves no range for the coarse ones.

    >>> T5Bias(nhead=2)(3, 5).shape
    torch.Size([2, 3, 5])
    """

    def __init__(
        self, nhead: int, buckets: int = 32, max_distance: int = 128, bidirectional: bool = True
    ) -> None:
        super().__init__()
        side = buckets // 2 if bidirectional else buckets
        if nhead < 1 or side < 2 or (bidirectional and buckets % 2) or max_distance <= side // 2:
            raise ValueError(
                "Need nhead of at least 1, 2 buckets a side (an even number of both sides) and a "
                f"max_distance above {side // 2}, half of a side's buckets; got nhead={nhead}, "
                f"buckets={buckets}, max_distance={max_distance}."
            )
        self.buckets, self.max_distance, self.bidirectional = buckets, max_distance, bidirectional
        self.table = nn.Parameter(torch.zeros(nhead, buckets))

    def reset_parameters(self) -> None:
        """Fill the table with zeros."""
        nn.init.zeros_(self.table)

    def forward(self, query_length: int, key_length: int, offset: int = 0) -> Tensor:
        """Return the bias `(H, L, S)`."""
        distance = _distances(query_length, key_length, offset, self.table)  # (L + S - 1,)
        sorted_in = t5_buckets(distance, self.buckets, self.max_distance, self.bidirectional)
        line = self.table[:, sorted_in]  # (H, L + S - 1)
        return spread_over_pairs(line, query_length, key_length)
