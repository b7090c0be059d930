# Exercise: attention.split_heads
# Passed:   2026-11-29T06:53:53Z
# Course:   0.1.0
# Your own answer: use("attention.split_heads") runs it wherever the course needs it.
# ----------------------------------------
from torch import Tensor


def split_heads(x: Tensor, nhead: int) -> Tensor:
    """(B, H, S, Dh) from x (B, S, D); ValueError when D % nhead is not 0."""
    batch, length, d_model = x.shape
    if d_model % nhead != 0:
        raise ValueError(f"d_model ({d_model}) must be a multiple of nhead ({nhead})")
    x = x.reshape(batch, length, nhead, d_model // nhead)  # (B, S, H, Dh)
    return x.transpose(1, 2)  # (B, H, S, Dh)
