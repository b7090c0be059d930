# Exercise: attention.scaled_dot_product
# Passed:   2026-11-29T06:53:52Z
# Course:   0.1.0
# Your own answer: use("attention.scaled_dot_product") runs it wherever the course needs it.
# ----------------------------------------
from torch import Tensor
from course import use


scores = use("attention.scores")
softmax = use("attention.softmax")


def scaled_dot_product(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Output (..., L, Dv) and weights (..., L, S); mask is True where attention is blocked."""
    raw = scores(query, key)  # (..., L, S)
    if mask is not None:
        raw = raw.masked_fill(mask, float("-inf"))
    weights = softmax(raw, dim=-1)
    return weights @ value, weights  # (..., L, S) @ (..., S, Dv) -> (..., L, Dv)
