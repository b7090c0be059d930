"""ALiBi: no position vectors at all, but a penalty on the scores that grows with the distance.

Source: Press, Smith and Lewis 2022, "Train Short, Test Long: Attention with Linear Biases
Enables Input Length Extrapolation", section 3 and figure 3; the slopes for a number of heads
that is no power of two are those of the code published with it. The symmetric form for encoders,
which sees both sides, is the one that the authors give there for non-causal models.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

__all__ = ["alibi_bias", "alibi_slopes"]


def alibi_slopes(nhead: int) -> Tensor:
    """Give each head its slope: a geometric sequence from `2**(-8/H)` down to `2**-8`.

    Where H is no power of two: the slopes of the next smaller power, then every other one of
    those of the next larger.

    Args:
        nhead: H, at least 1.

    Returns:
        `(H,)` float32, all between 0 and 1.

    Raises:
        ValueError: `nhead` is less than 1.

    Source: Press et al. 2022, section 3.

    >>> alibi_slopes(4).tolist()
    [0.25, 0.0625, 0.015625, 0.00390625]
    """
    if nhead < 1:
        raise ValueError(f"nhead must be at least 1, got {nhead}.")
    power = 2 ** math.floor(math.log2(nhead))
    slopes = [2 ** (-8 * (i + 1) / power) for i in range(power)]
    larger = [2 ** (-8 * (i + 1) / (2 * power)) for i in range(2 * power)]
    return torch.tensor(slopes + larger[0::2][: nhead - power])  # (H,)


def alibi_bias(
    nhead: int,
    query_length: int,
    key_length: int | None = None,
    *,
    offset: int = 0,
    device: torch.device | str | None = None,
    dtype: torch.dtype = torch.float32,
) -> Tensor:
    """Make the additive float mask: `-slope * |position of query - position of key|`.

    It blocks nothing: a decoder blocks the future with a causal mask beside it, where the absolute
    value no longer matters. Add it to the scores before the softmax, after the scaling.

    Args:
        nhead: H.
        query_length: L.
        key_length: S; as long as the queries where not given.
        offset: the position of the first query (the number of cached tokens); keys start at 0.
        device: where the result is made.
        dtype: the result's dtype; the values are worked out in float32.

    Returns:
        `(H, L, S)`, zero where query and key stand at the same position, negative elsewhere.

    Raises:
        ValueError: `nhead` is less than 1.

    Source: Press et al. 2022, section 3, figure 3.

    >>> alibi_bias(nhead=1, query_length=3)[0] * 256
    tensor([[ 0., -1., -2.],
            [-1.,  0., -1.],
            [-2., -1.,  0.]])
    """
    key_length = offset + query_length if key_length is None else key_length
    queries = torch.arange(offset, offset + query_length, device=device)
    keys = torch.arange(key_length, device=device)
    distance = (queries[:, None] - keys[None, :]).abs()  # (L, S)
    slopes = alibi_slopes(nhead).to(device)
    return (-slopes[:, None, None] * distance).to(dtype) + 0.0  # (H, L, S); + 0.0 turns -0. to 0.
