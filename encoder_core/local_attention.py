"""Attention through a window, computing only what the window lets through.

A mask over all pairs of tokens gives the same numbers, but computes `S x S` scores and throws most
away. Here the text is cut into blocks as long as the window is wide; a query can see no further
than the blocks beside its own, so each block of queries meets three blocks of keys: `3 w S` scores
instead of `S x S`.

Source: Beltagy et al. 2020, "Longformer: The Long-Document Transformer", section 3.1 and appendix
A (chunks).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from encoder_core.attention import fused_attention

# Beside `multihead`, which attends by it where a window is set.
__all__ = ["suits", "windowed_attention"]

# How many windows long a text must be for the blocks to be faster than the mask, as measured.
_LONG = 6


def windowed_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    window: int,
    padding_mask: Tensor | None = None,
    dropout_p: float = 0.0,
) -> Tensor:
    """Attend to what is at most `window` tokens away, on either side.

    Query, key and value `(B, H, S, Dh)` and a padding mask `(B, S)`, True at padding, to
    `(B, H, S, Dh)`.

    Raises:
        ValueError: `window` is less than 1.

    >>> from encoder_core.masks import local_mask
    >>> x = torch.randn(1, 2, 10, 4)
    >>> masked = fused_attention(x, x, x, local_mask(10, window=2))
    >>> torch.allclose(windowed_attention(x, x, x, window=2), masked, atol=1e-6)
    True
    """
    if window < 1:
        raise ValueError(f"window must be at least 1 here, got {window}.")
    batch, nhead, length, _ = query.shape
    count = -(-length // window)  # blocks, the last one perhaps not full
    missing = count * window - length
    q = F.pad(query, (0, 0, 0, missing)).reshape(batch * nhead, count, window, -1)  # (BH, n, w, Dh)
    k, v = (_neighbours(x, window, count) for x in (key, value))  # (BH, n, 3w, Dh)
    blocked = _blocked(length, window, count, query.device)[None]  # (1, n, w, 3w)
    if padding_mask is not None:
        around = F.pad(padding_mask, (window, window + missing), value=True)
        gone = around.unfold(1, 3 * window, window)  # (B, n, 3w)
        blocked = (blocked | gone[:, :, None, :]).repeat_interleave(nhead, 0)  # (BH, n, w, 3w)
    output = fused_attention(q, k, v, blocked, dropout_p)  # (BH, n, w, Dh): blocks as heads
    return output.reshape(batch, nhead, count * window, -1)[:, :, :length]


def suits(query: Tensor, key: Tensor, mask: Tensor | None, window: int) -> bool:
    """Tell whether `windowed_attention` serves these queries and keys `(B, H, S, Dh)`, and pays.

    It does in self-attention over a text of many windows whose mask is padding alone.

    >>> x = torch.randn(1, 2, 100, 4)
    >>> suits(x, x, None, window=4), suits(x, x, None, window=64)
    (True, False)
    """
    if window < 1 or query.shape != key.shape or key.shape[2] < _LONG * window:
        return False
    padding = (query.shape[0], 1, 1, key.shape[2])
    return mask is None or (mask.dtype == torch.bool and mask.shape == padding)


def _neighbours(x: Tensor, window: int, count: int) -> Tensor:
    """Give each block its own keys and those of both its neighbours: `(BH, n, 3w, Dh)`."""
    missing = count * window - x.shape[2]
    around = F.pad(x, (0, 0, window, window + missing)).flatten(0, 1)  # (BH, (n + 2) w, Dh)
    return around.unfold(1, 3 * window, window).transpose(-2, -1)  # (BH, n, 3w, Dh)


def _blocked(length: int, window: int, count: int, device: torch.device) -> Tensor:
    """Mark the three blocks' keys that lie outside of the window or of the text: `(n, w, 3w)`."""
    queries = torch.arange(window, device=device) + window  # where they stand in the three blocks
    keys = torch.arange(3 * window, device=device)
    far = (queries[:, None] - keys[None, :]).abs() > window  # (w, 3w)
    begins = (torch.arange(count, device=device) - 1) * window  # of each block's left neighbour
    places = begins[:, None] + keys  # (n, 3w)
    outside = (places < 0) | (places >= length)
    return far | outside[:, None, :]  # (n, w, 3w)
