# Exercise: embeddings.lookup
# Passed:   2026-11-29T06:53:23Z
# Course:   0.1.0
# Your own answer: use("embeddings.lookup") runs it wherever the course needs it.
# ----------------------------------------
from torch import Tensor


def lookup(weight: Tensor, ids: Tensor) -> Tensor:
    """The vectors (B, S, D) of ids (B, S), out of the table weight (V, D)."""
    return weight[ids]  # (V, D) at (B, S) -> (B, S, D)
