# Exercise: attention.merge_heads
# Passed:   2026-11-29T06:53:53Z
# Course:   0.1.0
# Your own answer: use("attention.merge_heads") runs it wherever the course needs it.
# ----------------------------------------
from torch import Tensor


def merge_heads(x: Tensor) -> Tensor:
    """(B, S, D) from x (B, H, S, Dh), the inverse of split_heads."""
    batch, nhead, length, d_head = x.shape
    x = x.transpose(1, 2)  # (B, S, H, Dh)
    return x.reshape(batch, length, nhead * d_head)  # (B, S, D)
