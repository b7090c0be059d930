# Exercise: attention.multi_head
# Passed:   2026-11-29T06:53:54Z
# Course:   0.1.0
# Your own answer: use("attention.multi_head") runs it wherever the course needs it.
# ----------------------------------------
from torch import Tensor
from course import use


split_heads = use("attention.split_heads")
scaled_dot_product = use("attention.scaled_dot_product")
merge_heads = use("attention.merge_heads")


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
    projected = x @ w_in.T + b_in  # (B, S, D) @ (D, 3D) -> (B, S, 3D)
    query, key, value = projected.chunk(3, dim=-1)  # three times (B, S, D)
    query = split_heads(query, nhead)  # (B, H, S, Dh)
    key = split_heads(key, nhead)  # (B, H, S, Dh)
    value = split_heads(value, nhead)  # (B, H, S, Dh)
    output, _ = scaled_dot_product(query, key, value, mask)  # (B, H, S, Dh)
    return merge_heads(output) @ w_out.T + b_out  # (B, S, D)
