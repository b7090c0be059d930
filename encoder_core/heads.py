"""Heads: one wide vector for each token, seen as several narrow ones side by side.

Source: Vaswani et al. 2017, "Attention Is All You Need", section 3.2.2.
"""

from __future__ import annotations

from torch import Tensor

__all__ = ["merge_heads", "split_heads"]


def split_heads(x: Tensor, nhead: int) -> Tensor:
    """Cut the last axis into heads and bring them before the tokens.

    Args:
        x: `(B, S, D)`, or any `(..., S, D)`.
        nhead: H, a divisor of D.

    Returns:
        `(B, H, S, Dh)` with `Dh = D // H`; a view where the strides allow it.

    Raises:
        ValueError: D is not divisible by `nhead`.

    Source: Vaswani et al. 2017, section 3.2.2.

    >>> import torch
    >>> split_heads(torch.arange(4).reshape(1, 1, 4), nhead=2).tolist()
    [[[[0, 1]], [[2, 3]]]]
    """
    if nhead < 1 or x.shape[-1] % nhead:
        raise ValueError(f"The width {x.shape[-1]} cannot be cut into {nhead} equal heads.")
    x = x.reshape(*x.shape[:-1], nhead, x.shape[-1] // nhead)  # (B, S, H, Dh)
    return x.transpose(-3, -2)  # (B, H, S, Dh)


def merge_heads(x: Tensor) -> Tensor:
    """Undo `split_heads`: put the heads side by side again.

    Args:
        x: `(B, H, S, Dh)`, or any `(..., H, S, Dh)`.

    Returns:
        `(B, S, D)` with `D = H * Dh`.

    >>> import torch
    >>> x = torch.randn(2, 5, 12)
    >>> torch.equal(merge_heads(split_heads(x, nhead=3)), x)
    True
    """
    return x.transpose(-3, -2).flatten(-2)  # (B, S, H, Dh) -> (B, S, D)
